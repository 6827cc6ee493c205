//! What the README and the page on the command line show is what happens.
//!
//! Blocks marked `console` hold commands (`$ `) and their output, standard error after standard output.
//! A line of `...` stands for any lines, `...` at a line's end for the rest of the line. Those marked
//! `console server` talk to `gtm serve examples/petstore.yaml`.

use crate::common::{Server, folder, root};
use std::path::Path;
use std::process::Command;

#[test]
fn the_pages_tell_the_truth() {
    let folder = folder();
    let examples = folder.path().join("examples");
    std::fs::create_dir(&examples).expect("a folder");
    for entry in std::fs::read_dir(root().join("examples")).expect("examples").flatten() {
        std::fs::copy(entry.path(), examples.join(entry.file_name())).expect("copied");
    }
    let server = Server::start(&[&examples.join("petstore.yaml").to_string_lossy()]);
    let curl = Command::new("curl").arg("--version").output().is_ok();
    if !curl {
        println!("skipped in part: curl is not here");
    }
    let mut commands = 0;
    let text: String = ["README.md", "docs/cli.md"]
        .iter()
        .map(|page| std::fs::read_to_string(root().join(page)).expect("a page"))
        .collect();
    for (kind, block) in blocks(&text) {
        if kind == "console server" && !curl {
            continue;
        }
        for example in block.split("\n$ ").map(|part| part.trim_start_matches("$ ")) {
            let (command, expected) = example.split_once('\n').unwrap_or((example, ""));
            let shown = run(command, folder.path(), &server.host);
            assert!(fits(&expected.lines().collect::<Vec<_>>(), &shown), "{command}\n{}", shown.join("\n"));
            commands += 1;
        }
    }
    assert!(commands >= 5, "{commands}");
}

/// The fenced blocks of commands.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fences: Vec<&str> = text.split("```").collect();
    let inside = fences.iter().skip(1).step_by(2);
    inside
        .filter_map(|block| block.split_once('\n'))
        .filter(|(kind, _)| kind.starts_with("console"))
        .collect()
}

fn run(command: &str, folder: &Path, host: &str) -> Vec<String> {
    let command = command.replace("cargo run --release -p gtm --", "gtm").replace("127.0.0.1:8031", host);
    let bin = Path::new(env!("CARGO_BIN_EXE_gtm")).parent().expect("a folder").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).expect("a path");
    let output = Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("GTM_API_KEY")
        .output()
        .expect("a shell");
    let text = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout).trim_end(),
        String::from_utf8_lossy(&output.stderr)
    );
    text.trim().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether the lines are those expected.
fn fits(expected: &[&str], shown: &[String]) -> bool {
    match (expected.split_first(), shown.split_first()) {
        (None, None) => true,
        (Some((&"...", rest)), _) => (0..=shown.len()).any(|skip| fits(rest, &shown[skip..])),
        (Some((wanted, rest)), Some((line, more))) => {
            let same = match wanted.strip_suffix("...") {
                Some(start) => line.starts_with(start),
                None => wanted == line,
            };
            same && fits(rest, more)
        }
        _ => false,
    }
}
