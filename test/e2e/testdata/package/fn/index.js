exports.handler = async () => `says ${process.env.WORD}`;
