package objects

import (
	"io"
	"os"
)

// Open opens an object's bytes.
func (k *Keeper) Open(o *Object) (*Pieces, error) {
	p := &Pieces{}
	for _, piece := range o.Parts {
		file, err := k.Files.Open(piece.Hash)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.files, p.sizes = append(p.files, file), append(p.sizes, piece.Size)
	}
	p.Section(0, o.Size)
	return p, nil
}

// Pieces are the files of an object, read one after the other.
type Pieces struct {
	files []*os.File
	sizes []int64
	io.Reader
}

// Section limits what is read to size bytes from an offset.
func (p *Pieces) Section(offset, size int64) {
	var readers []io.Reader
	for i, file := range p.files {
		length := p.sizes[i]
		if offset >= length {
			offset -= length
			continue
		}
		take := min(length-offset, size)
		if take > 0 {
			readers = append(readers, io.NewSectionReader(file, offset, take))
		}
		size -= take
		offset = 0
	}
	p.Reader = io.MultiReader(readers...)
}

// Close closes the files.
func (p *Pieces) Close() error {
	var first error
	for _, file := range p.files {
		if err := file.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
