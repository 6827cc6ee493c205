//! The reference page, made from the table.

use super::{MACROS, Row, SECTIONS};
use std::fmt::Write;

/// `docs/functions.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRO);
    page.push_str("\n## Macros\n\n| written as |\n|---|\n");
    for (_, usage) in MACROS.iter().filter(|(name, _)| *name != "bind") {
        writeln!(page, "| {} |", code(usage).replace(" or ", "`, `"))
            .expect("writing to a string cannot fail");
    }
    page.push_str(MACRO_NOTES);
    for section in SECTIONS {
        write!(
            page,
            "\n## {}\n\n{}\n\n| function | does | example |\n|---|---|---|\n",
            section.title, section.intro
        )
        .expect("writing to a string cannot fail");
        for row in section.rows {
            page.push_str(&line(row));
        }
    }
    page
}

fn line(row: &Row) -> String {
    let aliases = match row.aliases {
        [] => String::new(),
        names => format!(" Also {}.", names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")),
    };
    format!(
        "| {} | {}{aliases} | {} → {} |\n",
        code(row.signature),
        row.doc.replace('|', "\\|"),
        code(row.example),
        code(row.result)
    )
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

const INTRO: &str = "\
# Expressions and functions

<!-- Made from the function table by `GTM_BLESS=1 cargo test -p gtm-world --test cel_reference`. Do not edit. -->

Behaviors use [CEL](https://cel.dev): `order.total > 100 && args.code in codes`, `items.map(i, i.price * i.count).sum()`,
`has(args.note) ? args.note : 'none'`. Text that shows values has holes: `Only {flight.seats} seats left`; `{{` is a brace.

What differs from CEL:

- **Numbers mix.** Integers and doubles compare and combine freely. Integers stay integers; a result beyond 64 bits is an error.
  `/` gives an integer when it divides exactly and a double otherwise: `6 / 2` is `3`, `7 / 2` is `3.5`. `%` has the sign of its
  left side. There are no infinities.
- **Missing is null.** A missing member, a member of null, an unknown name and a list index out of range are null; `has(a.b)` tells a
  missing member from one that is null. Null counts as false in conditions, and as the empty list or object wherever one is gone
  through. It is an error in arithmetic and in `<`.
- **Indices.** `list[-1]` is the last item. `object[7]` is the member `\"7\"`. A list index must be whole.
- **Equality** of different types is false. `<` compares numbers, text (so dates in ISO form too) and booleans.
- **Names.** Only `true`, `false`, `null` and `in` are reserved. A member with an odd name is ``a.`x-y` `` or `a['x-y']`.
  `has()` also takes a name, or a place with an index.
- **Objects** are gone through by key; `values(object)` gives the values.
- **Left out**: bytes, messages, optionals, and the types timestamp and duration: dates are ISO text.

A function may be written before its arguments or after the first: `round(x, 2)` or `x.round(2)`. `?` marks parameters that may be left
out, `...` one that may be repeated.

Every expression is bounded: 8 KiB of text, 2000 nodes, 64 levels (brackets, operators and selections; `&&` and `||` chains count as
one). Each node evaluated, item gone through and byte built is paid from the call's budget (`limits`). A value may be nested 128 levels.
";

const MACRO_NOTES: &str = "
`transformList` and `transformMap` bind the index or key, then the item; `all`, `exists` and `exists_one` do so when they are given two
names. `reduce` gives the value after the last item: `[1, 2, 3].reduce(sum, x, 0, sum + x)` is `6`. `&&`, `||`, `all` and `exists` ignore an error in one part when another part decides, as CEL has it.
";
