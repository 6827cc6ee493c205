//! The packs of this repository are sound, and faults in packs are found where they are.

use gtm_carg::lint::{Severity, lint};
use gtm_carg::pack;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn packs_have_no_errors() {
    let files = pack::pack_files(&[Path::new(ROOT).join("packs")]).expect("there are packs");
    let mut wrong = Vec::new();
    for file in files {
        match pack::load(&file) {
            Err(error) => wrong.push(error.to_string()),
            Ok(pack) => wrong.extend(
                lint(&pack, Some(&file))
                    .into_iter()
                    .filter(|finding| finding.severity == Severity::Error)
                    .map(|finding| format!("{}#{}: {}", file.display(), finding.place, finding.message)),
            ),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn published_schema_is_current() {
    let path = Path::new(ROOT).join("docs/pack.schema.json");
    let schema = format!("{:#}\n", pack::json_schema());
    if std::env::var_os("GTM_BLESS").is_some() {
        std::fs::write(&path, &schema).expect("docs/ can be written");
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == schema,
        "docs/pack.schema.json is stale: GTM_BLESS=1 cargo test -p gtm-carg --test packs"
    );
}

/// A small sound pack; each case below spoils one line of it.
const SOUND: &str = r#"
domain: loans
area: culture
title: Loans
about: A library lends copies to members.
sources: [terms of use]
roles: [member, librarian]
constants: {limit: 3}
lexicons: {title: [Solaris, Kindred, Beloved, Emma, Ulysses, Dune]}
texts: {remark: ["{title} is torn.", "Page {2..9} of {it.title} is missing.", "Wet."]}
entities:
  member: {about: Reader, attributes: {name: person, email: email unique, fee: money 0..20.00 EUR readonly = 0}}
  copy:
    about: One copy
    plural: copies
    id: C-####
    attributes: {title: word title, price: money 5..90 EUR log = 20, note?: text remark}
    lifecycle:
      states: [available, lent, lost]
      moves:
        lose: {from: [available, lent], to: lost, by: librarian}
        lend: {from: available, to: lent, takes: {member: ref member}, set: {note: args.member}}
  loan:
    about: A loan
    attributes: {member: ref member, copy: ref copy, due: date 0d..28d}
    rules:
      create:
        - compute: {over: loans, where: "it.member == args.member", count: true, as: open}
        - require: {that: "open < limit", error: conflict, message: "{member.name} has {open} loans"}
operations:
  renew:
    about: Lends it for longer.
    takes: {loan: ref loan, days: int 1..28 = 7}
    steps:
      - update: {in: loans, id: args.loan, set: {due: "addDays(it.due, args.days)"}}
      - reply: {due: it.due}
reports: {by_member: {about: Loans, over: loans, by: it.member, measures: {loans: size(rows)}}}
formulas:
  fine:
    about: Fee for late returns.
    in: {days: int 0..100, rate: number 0..5 EUR}
    out: days * rate
    source: terms of use
    worked: [{in: {days: 3, rate: 0.5}, out: 1.5}, {in: {days: 0, rate: 2}, out: 0}]
simulators:
  decay:
    about: Wear of the stock.
    parameters: {k: number 0..1 1/y = 0.5}
    state: {stock: number 0..1000 = 100}
    dt: {step: 0.1, unit: y}
    rates: {stock: -k * stock}
    source: by hand
    worked: [{steps: 10, out: {stock: 60.653}, tol: 0.0001}]
"#;

fn errors(text: &str) -> Vec<String> {
    match pack::parse(text.as_bytes()) {
        Err(error) => vec![format!("{} {}", error.place().unwrap_or(""), error.message())],
        Ok(pack) => lint(&pack, None)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| format!("{} {}", finding.place, finding.message))
            .collect(),
    }
}

#[test]
fn the_sound_pack_is_sound() {
    assert_eq!(errors(SOUND), Vec::<String>::new());
}

#[test]
fn faults_are_found_where_they_are() {
    let cases = [
        // (what stands there, what is put there, place, part of the message)
        ("email: email unique", "email: mail", "/entities", "`mail` is no kind of value"),
        ("title: word title", "title: word titel", "/entities/copy/attributes/title", "perhaps `title`"),
        (
            "member: ref member, copy",
            "member: ref membr, copy",
            "/entities/loan/attributes/member",
            "perhaps `member`",
        ),
        ("text remark", "text remarks", "/entities/copy/attributes/note?", "there is no text `remarks`"),
        ("by: librarian", "by: libarian", "/entities/copy/lifecycle/moves/lose/by", "perhaps `librarian`"),
        ("to: lost", "to: gone", "/entities/copy/lifecycle/moves/lose/to", "there is no state `gone`"),
        (
            "states: [available, lent, lost]",
            "states: [available, lent, lost, sold]",
            "/entities/copy/lifecycle/states",
            "no moves lead",
        ),
        (
            "set: {note: args.member}",
            "set: {nota: args.member}",
            "/entities/copy/lifecycle/moves/lend/set/nota",
            "perhaps `note`",
        ),
        (
            "set: {note: args.member}",
            "set: {note: args.membr}",
            "/entities/copy/lifecycle/moves/lend/set/note",
            "there is no argument `membr`",
        ),
        (
            "over: loans, where",
            "over: loan, where",
            "/entities/loan/rules/create/0",
            "there is no name `loan`",
        ),
        ("open < limit", "open < limit)", "/entities/loan/rules/create", ")"),
        ("open < limit", "open < limt", "/entities/loan/rules/create/1", "perhaps `limit`"),
        ("{member.name} has", "{member.nam} has", "/entities/loan/rules/create/1", "perhaps `name`"),
        (
            "in: loans, id: args.loan",
            "in: lones, id: args.loan",
            "/operations/renew/steps/0",
            "perhaps `loans`",
        ),
        ("addDays(it.due", "addDay(it.due", "/operations/renew/steps", "addDay"),
        ("over: loans, by", "over: lons, by", "/reports/by_member/over", "perhaps `loans`"),
        ("out: days * rate", "out: days * rat", "/formulas/fine/value", "perhaps `rate`"),
        ("out: 1.5}", "out: 1.6}", "/formulas/fine/worked/0/out", "gives 1.5, not 1.6, off by -6.25 %"),
        ("days: 3, rate", "days: 300, rate", "/formulas/fine/worked/0/in/days", "outside the range 0..100"),
        ("rates: {stock: -k * stock}", "rates: {stok: -k}", "/simulators/decay/rates", "perhaps `stock`"),
        ("stock: 60.653", "stock: 61.5", "/simulators/decay/worked/0/out/stock", "gives 60.65"),
        ("= 20, note", "= 2, note", "/entities/copy/attributes/price", "outside 5..90"),
        ("\"{title} is torn.\"", "\"{titel} is torn.\"", "/texts/remark/0", "perhaps `title`"),
        ("\"Wet.\"", "\"Wet {remark}.\"", "/texts/remark", "contains itself"),
        (
            "constants: {limit: 3}",
            "constants: {loans: 3, limit: 3}",
            "/constants/loans",
            "already names something",
        ),
        ("id: C-####", "id: C-", "/entities/copy/id", "no way to make ids"),
        ("title: Loans\n", "title: Loans\nflavour: x\n", "/", "unknown field `flavour`"),
        ("due: date 0d..28d", "due: date 28d..0d", "/entities", "ends before it starts"),
        ("  member: {about: Reader", "  args: {about: Reader", "/entities/args", "meaning of its own"),
    ];
    let mut wrong = Vec::new();
    for (from, to, place, message) in cases {
        assert!(SOUND.contains(from), "{from}");
        let found = errors(&SOUND.replacen(from, to, 1));
        if !found.iter().any(|error| error.starts_with(place) && error.contains(message)) {
            wrong.push(format!("{from} → {to}: expected {place} …{message}…, found {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn hostile_packs_end_in_an_error() {
    for text in [
        "",
        "[]",
        "domain: 3",
        "domain: {a: b}",
        "texts: {a: [\"{a}\"]}",
        "domain: a\narea: b\ntitle: c\nabout: d\nentities: {é: {about: x, attributes: {ÿ: int 1..2}}}",
        "domain: a\narea: b\ntitle: c\nabout: d\ntexts: {a: [\"{b}{b}{b}{b}\"], b: [\"{c}{c}{c}{c}\"], c: [\"{d}\"], d: [\"{a}{b}{c}\"]}",
        "domain: a\narea: b\ntitle: c\nabout: d\nformulas: {f: {about: x, in: {}, out: \"range(1000000).map(x, range(1000))\", source: none, worked: [{in: {}, out: 1}]}}",
    ] {
        assert!(!errors(text).is_empty(), "{text}");
    }
}
