package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestBrowser signs in with a real browser.
func TestBrowser(t *testing.T) {
	p := newPerson(t, "node")
	p.start()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(need.Tool(t, "chromium")), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	browser, closeBrowser := chromedp.NewContext(allocator)
	defer closeBrowser()

	command := exec.Command(program, "twitter", "authorize", "--consumer-key", consumerKey, "--consumer-secret", consumerSecret, "--dir", p.app)
	command.Dir, command.Env, command.Stderr = p.home, p.env, os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &output{}
	command.Stdout = said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	prompt := regexp.MustCompile(`Go to (\S+) and paste in the supplied PIN`)
	await(t, "the URL", func() bool { return prompt.MatchString(said.String()) })
	page := prompt.FindStringSubmatch(said.String())[1]

	if err := chromedp.Do(browser, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	app, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS("body")))
	if err != nil {
		t.Fatal(err)
	}
	err = chromedp.Do(browser,
		chromedp.SendKeys(chromedp.CSS(`input[name="screen_name"]`), "browser_person"),
		chromedp.Click(`//button[contains(., "Authorize app")] | //input[@value="Authorize app"]`),
		chromedp.WaitVisible(chromedp.CSS("code#pin")),
	)
	if err != nil {
		t.Fatal(err)
	}
	pin, err := chromedp.Run(browser, chromedp.Text(chromedp.CSS("code#pin")))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(app, "app") {
		t.Errorf("the page does not name the app:\n%s", app)
	}
	if _, err := stdin.Write([]byte(pin + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := command.Wait(); err != nil || !strings.Contains(said.String(), "Authorization successful") {
		t.Fatalf("%v\n%s", err, said.String())
	}
	twurlToken(t, p, "browser_person")
}
