//! YAML whose aliases would expand to far more than was written: an error, soon, in little memory.
//! The only test of its binary, since it reads the memory of the whole process.

use gtm_error::Code;
use gtm_tool::{Limits, import, parse_document};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Largest resident size of this process so far in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

/// Nine levels of nine aliases each.
fn nested(value: &str) -> String {
    let mut text = format!("a0: &a0 [{}]\n", [value; 9].join(", "));
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    text
}

/// One wide list, aliased often.
fn wide() -> String {
    let mut text = format!("a: &a [{}]\nb:\n", vec!["x"; 10_000].join(","));
    text += &"  - *a\n".repeat(10_000);
    text
}

/// One long string, aliased often.
fn heavy() -> String {
    let mut text = format!("a: &a {}\nb:\n", "x".repeat(1 << 20));
    text += &"  - *a\n".repeat(20_000);
    text
}

/// Merged maps, each twice the last.
fn merged() -> String {
    let mut text = String::from("m0: &m0 {k0: 1}\n");
    for level in 1..40 {
        let last = level - 1;
        writeln!(text, "m{level}: &m{level}\n  <<: *m{last}\n  a{level}: *m{last}\n  b{level}: *m{last}")
            .unwrap();
    }
    text
}

/// Anchors inside anchors, so that each value is recorded once for every level.
fn recorded() -> String {
    let mut text = String::new();
    (0..110).for_each(|i| write!(text, "&x{i} [").unwrap());
    text += &vec!["y"; 100_000].join(",");
    text += &"]".repeat(110);
    text
}

#[test]
fn bombs_are_refused_soon_and_in_little_memory() {
    let limits = Limits::default();
    let before = peak();
    for (name, text) in [
        ("nested aliases", nested("x")),
        ("nested aliases of maps", nested("{k: v}")),
        ("wide aliases", wide()),
        ("aliases of a long string", heavy()),
        ("merge keys", merged()),
        ("anchors within anchors", recorded()),
    ] {
        let start = Instant::now();
        let error = parse_document(&text, &limits).expect_err(name);
        let took = start.elapsed();
        println!("{name} ({} bytes): {took:?}, peak {:?} KiB: {}", text.len(), peak(), error.message());
        assert_eq!(error.code(), Code::SpecTooLarge, "{name}: {error}");
        assert_eq!(import(text.as_bytes(), &limits).expect_err(name).code(), Code::SpecTooLarge, "{name}");
        assert!(took < Duration::from_secs(5), "{name} took {took:?}");
    }
    if let (Some(before), Some(after)) = (before, peak()) {
        assert!(after - before < 100 << 10, "{} KiB more", after - before);
    }
}
