//! `docs/errors.md` is made from the table of codes. `GTM_BLESS=1` writes it anew.

use gtm_error::Code;
use std::fmt::Write;

#[test]
fn the_error_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let mut page = String::from(
        "# Error codes\n\n\
         Errors of GTM itself, the same over the command line, HTTP (`application/problem+json`) and MCP (error data).\n\
         `gtm explain CODE` prints a row of this page. A simulated tool's own failures are replies, not errors, and have\n\
         no code. Made from the table in `crates/gtm-error/src/code.rs`.\n",
    );
    for code in Code::ALL {
        let (id, title, status) = (code.id(), code.title(), code.http_status());
        write!(
            page,
            "\n## {id}: {title}\n\nHTTP {status}. {}\n\nWhat to do: {}.\n",
            code.explain(),
            code.advice()
        )
        .expect("writing to a string cannot fail");
    }
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(path, &page).expect("the page is written");
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == page, "docs/errors.md is stale; run `GTM_BLESS=1 cargo test -p gtm-error`");
}
