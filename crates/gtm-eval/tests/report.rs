//! The report in a real browser.

mod support;

use gtm_eval::report::{CurvePoint, Page, html};
use gtm_eval::{Evaluation, Options, evaluate, session_files};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{rules, session, write};

fn evaluation(folder: &Path) -> Evaluation {
    let mut hostile = session("</script><script>document.title = 'taken'</script>");
    hostile["turns"][5]["response"]["mood"] =
        "</pre><script>document.title = 'taken'</script>\u{202e}".into();
    let file = write(folder, "any.jsonl", &[session("a").to_string(), hostile.to_string()]);
    let files = session_files(&[file]).expect("files");
    evaluate(&files, &rules, &Options::default(), None, &mut |_| {}).expect("it runs")
}

fn page(folder: &Path) -> String {
    let evaluation = evaluation(folder);
    let curve = [0, 5].map(|sessions| CurvePoint { sessions, evaluation: evaluation.clone() });
    html(&Page { evaluation: &evaluation, name: "gtm", free: false, curve: &curve })
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = page(folder.path());
    for outside in ["src=", "href=\"http", "url(", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page asks for something: {outside}");
    }
    assert!(!page.contains("<script>document"), "text of a session became part of the page");
    assert!(!page.contains('\u{202e}'));
    for shown in
        ["buy &lt;milk&gt; &amp; eggs", "schema-faker", "Learning", "<mark>", "known value", "not_found"]
    {
        assert!(page.contains(shown), "{shown} is missing");
    }
    let again = tempfile::tempdir().expect("a folder");
    assert_eq!(page, self::page(again.path()), "the same sessions, the same page");
}

/// The first of the usual names of Chromium on the path.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome-headless-shell"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|file| file.is_file())
}

/// Runs the browser on a file, and gives what it prints.
fn browse(browser: &Path, folder: &Path, file: &Path, flag: &str) -> String {
    let out = std::fs::File::create(folder.join("out")).expect("a file");
    let mut child = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args(["--hide-scrollbars", "--window-size=1100,1400", "--virtual-time-budget=2000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(flag)
        .arg(format!("file://{}", file.display()))
        .stdout(Stdio::from(out))
        .stderr(Stdio::null())
        .spawn()
        .expect("the browser starts");
    let start = Instant::now();
    while child.try_wait().expect("the browser can be waited for").is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            let _ = child.kill();
            panic!("the browser did not finish");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::read_to_string(folder.join("out")).unwrap_or_default()
}

#[test]
fn a_browser_shows_the_page() {
    let Some(browser) = browser() else {
        println!("skipped: no Chromium on the path");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    std::fs::write(&file, page(folder.path())).expect("the page is written");

    let document = browse(&browser, folder.path(), &file, "--dump-dom");
    assert!(document.contains("<title>Fidelity of simulated tools</title>"), "no script of a session ran");
    assert!(document.contains("<div class=\"controls\">"), "the page's own script ran");
    let turns = document.matches("<details class=\"turn\"").count();
    assert!(
        turns > 2 && document.contains(&format!("<span id=\"shown\">{turns} of {turns}</span>")),
        "{turns} turns"
    );

    let shot = folder.path().join("shot.png");
    browse(&browser, folder.path(), &file, &format!("--screenshot={}", shot.display()));
    let image = std::fs::read(&shot).expect("a screenshot was taken");
    let empty = folder.path().join("empty.html");
    std::fs::write(&empty, "<!doctype html><title>nothing</title>").expect("the page is written");
    browse(&browser, folder.path(), &empty, &format!("--screenshot={}", shot.display()));
    let blank = std::fs::read(&shot).expect("a screenshot was taken");
    let number = |at: usize| u32::from_be_bytes([image[at], image[at + 1], image[at + 2], image[at + 3]]);
    assert_eq!((number(16), number(20)), (1100, 1400), "width and height of the image");
    assert!(image.len() > 4 * blank.len(), "{} bytes beside {} of an empty page", image.len(), blank.len());
}
