//! Filters, order and pages of a list, from its parameters.

use super::entity::Entity;
use super::expr::{arg, member, quoted};
use super::reply::Beside;
use super::schema::Node;
use crate::fill::Name;
use gtm_tool::{ParamLocation, ToolSpec};
use gtm_world::behavior::{ListRows, Sort};
use serde_json::{Value as Json, json};

/// Rows of a page where neither the call nor the spec says.
const PAGE: i64 = 20;

const LIMITS: &[&str] = &[
    "limit",
    "perpage",
    "pagesize",
    "maxresults",
    "top",
    "first",
    "count",
    "size",
    "take",
    "rows",
    "pagelimit",
    "maxitems",
    "resultsperpage",
    "itemsperpage",
    "numresults",
    "max",
    "maxrecords",
    "recordsperpage",
    "pageSize",
    "maxcount",
    "num",
    "batchsize",
    "maxpagesize",
    "limitcount",
    "pagecount",
    "maxrows",
    "resultlimit",
];
const OFFSETS: &[&str] =
    &["offset", "skip", "start", "startindex", "from", "startat", "startrow", "offsetrows", "begin"];
const PAGES: &[&str] =
    &["page", "pagenumber", "pageno", "pageindex", "currentpage", "pagenum", "pageid", "pagenr"];
const CURSORS: &[&str] = &[
    "cursor",
    "pagetoken",
    "nexttoken",
    "continuationtoken",
    "nextpagetoken",
    "marker",
    "pagecursor",
    "after",
    "nextcursor",
    "skiptoken",
    "scrollid",
    "bookmark",
    "startingtoken",
    "continuation",
    "endcursor",
    "paginationtoken",
];
const SORTS: &[&str] = &[
    "sort",
    "sortby",
    "orderby",
    "ordering",
    "sortfield",
    "sortcolumn",
    "sortkey",
    "orderfield",
    "sortproperty",
    "sorting",
];
const DIRECTIONS: &[&str] = &[
    "order",
    "direction",
    "sortorder",
    "sortdirection",
    "sortdir",
    "orderdirection",
    "orderdir",
    "dir",
    "sorttype",
    "ordertype",
    "asc",
    "descending",
    "desc",
];
const SEARCHES: &[&str] = &[
    "q",
    "query",
    "search",
    "keyword",
    "keywords",
    "term",
    "searchterm",
    "searchtext",
    "text",
    "searchquery",
    "searchstring",
    "s",
    "searchfor",
    "phrase",
    "fulltext",
    "contains",
    "match",
];

/// How a list is paged.
#[derive(Clone, Debug, Default)]
pub(super) struct Paging {
    /// Expression for the most rows; `None` for all.
    pub limit: Option<String>,
    /// Expression for the rows to skip; `None` for 0.
    pub offset: Option<String>,
    /// Expression for the page's number, if pages are numbered.
    pub page: Option<String>,
    /// Whether pages follow each other by token.
    pub by_token: bool,
    /// Number of the first page.
    pub first_page: i64,
}

/// An argument that may steer a list.
struct Steer<'a> {
    argument: &'a str,
    name: Name,
    node: Node<'a>,
}

/// A `list` step for the tool, and how it pages. `taken` are arguments that mean something else.
pub(super) fn list(
    tool: &ToolSpec,
    entity: &Entity<'_>,
    within: String,
    taken: &[&str],
) -> (ListRows, Paging) {
    let steers: Vec<Steer<'_>> = Node::of(&tool.parameters)
        .members()
        .into_iter()
        .filter(|(name, _)| !taken.contains(name) && !is_header(tool, name))
        .map(|(argument, node)| Steer { argument, name: name_of(argument), node })
        .collect();
    let find = |names: &[&str]| names.iter().find_map(|n| steers.iter().find(|s| s.name.joined() == *n));
    let schema = Node::of(&entity.schema);
    let members = schema.members();
    let mut op = ListRows { within, ..ListRows::default() };
    let mut used: Vec<&str> = Vec::new();

    // A member of the same name is a filter before it is anything else: `order`, `size`, `text`.
    let is_member = |s: &Steer<'_>| filterable(&members, &s.name).is_some();
    let paging = paging(&find, &mut used, &is_member);
    op.limit.clone_from(&paging.limit);
    op.offset.clone_from(&paging.offset);

    if let Some(by) = find(SORTS).filter(|s| !is_member(s)) {
        used.push(by.argument);
        let direction = find(DIRECTIONS).filter(|s| !used.contains(&s.argument) && !is_member(s));
        used.extend(direction.map(|d| d.argument));
        op.sort = Some(Sort { by: sort_by(by, &members), descending: direction.map(descending) });
    } else if let Some(direction) = find(DIRECTIONS).filter(|s| !is_member(s) && is_direction(s)) {
        used.push(direction.argument);
        let created = members.iter().find(|(n, _)| super::stamps::is_created(&Name::new(n)));
        if let Some((created, _)) = created {
            op.sort = Some(Sort { by: quoted(created), descending: Some(descending(direction)) });
        }
    }
    if let Some(search) =
        find(SEARCHES).filter(|s| !is_member(s) && matches!(s.node.primary(), Some("string") | None))
    {
        used.push(search.argument);
        op.search = Some(arg(search.argument));
    }
    let mut bounds = Vec::new();
    for steer in steers.iter().filter(|s| !used.contains(&s.argument)) {
        if let Some((name, node)) = filterable(&members, &steer.name) {
            op.equal.insert(name.to_owned(), Json::String(wanted(steer, &node)));
        } else if matches!(steer.name.joined(), "ids" | "idin")
            && members.iter().any(|(n, _)| *n == entity.id)
        {
            op.equal.insert(entity.id.clone(), Json::String(wanted(steer, &steer.node)));
        } else if let Some(bound) = bound(steer, &members) {
            bounds.push(bound);
        }
    }
    if !bounds.is_empty() {
        op.filter = Some(bounds.join(" && "));
    }
    (op, paging)
}

/// The name of an argument without `filter[...]` and dollar signs.
fn name_of(argument: &str) -> Name {
    let inner =
        argument.strip_prefix("filter[").or_else(|| argument.strip_prefix("filter.")).unwrap_or(argument);
    let inner = inner.strip_prefix("page[").filter(|_| !argument.starts_with("page[number")).unwrap_or(inner);
    let inner = if argument == "page[number]" || argument == "page.number" { "page" } else { inner };
    Name::new(inner.trim_start_matches('$').trim_end_matches("[]").trim_end_matches(']'))
}

fn is_header(tool: &ToolSpec, argument: &str) -> bool {
    tool.http.as_ref().is_some_and(|http| {
        http.params.iter().any(|p| {
            p.argument == argument
                && matches!(p.location, ParamLocation::Header | ParamLocation::Cookie | ParamLocation::Path)
        })
    })
}

fn paging<'s>(
    find: &dyn Fn(&[&str]) -> Option<&'s Steer<'s>>,
    used: &mut Vec<&'s str>,
    is_member: &dyn Fn(&Steer<'_>) -> bool,
) -> Paging {
    let numeric = |s: &&Steer<'_>| matches!(s.node.primary(), Some("integer" | "number" | "string") | None);
    let mut out = Paging::default();
    let size = find(LIMITS).filter(numeric).filter(|s| !is_member(s));
    if let Some(size) = size {
        used.push(size.argument);
        out.limit = Some(defaulted(size, size.node.resolved().get("default").and_then(Json::as_i64)));
    }
    if let Some(offset) = find(OFFSETS)
        .filter(|s| matches!(s.node.primary(), Some("integer" | "number")))
        .filter(|s| !is_member(s))
    {
        used.push(offset.argument);
        out.offset = Some(number(offset));
        return out;
    }
    if let Some(page) =
        find(PAGES).filter(numeric).filter(|s| !is_member(s) && s.node.text("format") != "uuid")
    {
        used.push(page.argument);
        let zero_based = page
            .node
            .resolved()
            .get("default")
            .or_else(|| page.node.resolved().get("minimum"))
            .and_then(Json::as_i64)
            == Some(0)
            || [
                "zero-based",
                "0-based",
                "zero based",
                "starts at 0",
                "starting at 0",
                "starting from 0",
                "0..n",
            ]
            .iter()
            .any(|m| page.node.text("description").to_ascii_lowercase().contains(m));
        out.first_page = i64::from(!zero_based);
        let limit = match size {
            Some(size) => defaulted(
                size,
                Some(size.node.resolved().get("default").and_then(Json::as_i64).unwrap_or(PAGE)),
            ),
            None => PAGE.to_string(),
        };
        let number = defaulted(page, Some(out.first_page));
        out.offset = Some(if zero_based {
            format!("{number} * {limit}")
        } else {
            format!("({number} - 1) * {limit}")
        });
        out.page = Some(number);
        out.limit = Some(limit);
        return out;
    }
    if let Some(cursor) =
        find(CURSORS).filter(|s| !is_member(s) && matches!(s.node.primary(), Some("string") | None))
    {
        used.push(cursor.argument);
        let token = arg(cursor.argument);
        out.offset = Some(format!("isDigits(default({token}, '')) ? int({token}) : 0"));
        out.limit.get_or_insert_with(|| PAGE.to_string());
        if let Some(limit) = out.limit.as_mut().filter(|l| l.starts_with("args")) {
            *limit = format!("default({limit}, {PAGE})");
        }
        out.by_token = true;
    }
    out
}

/// The argument as a number, also where it is declared as text.
fn number(steer: &Steer<'_>) -> String {
    let value = arg(steer.argument);
    match steer.node.primary() {
        Some("integer" | "number") => value,
        _ => format!("(isNumeric(string(default({value}, ''))) ? int({value}) : null)"),
    }
}

fn defaulted(steer: &Steer<'_>, default: Option<i64>) -> String {
    match default {
        Some(default) => format!("default({}, {default})", number(steer)),
        None => number(steer),
    }
}

fn is_direction(steer: &Steer<'_>) -> bool {
    steer.node.values().iter().any(|v| v.to_ascii_lowercase().starts_with("desc"))
}

fn descending(steer: &Steer<'_>) -> String {
    match steer.name.joined() {
        "asc" if steer.node.primary() == Some("boolean") => format!("{} == false", arg(steer.argument)),
        _ => arg(steer.argument),
    }
}

/// The member to sort by: the argument, or where its values name no members, what they are nearest to.
fn sort_by(steer: &Steer<'_>, members: &[(&str, Node<'_>)]) -> String {
    let values = steer.node.values();
    let by = if steer.node.primary() == Some("array") {
        format!("{}[0]", arg(steer.argument))
    } else {
        arg(steer.argument)
    };
    let strange: Vec<(&str, &str)> = values
        .iter()
        .take(12)
        .filter(|v| !members.iter().any(|(n, _)| n == *v))
        .filter_map(|v| {
            let name = Name::new(v);
            let near = members.iter().find(|(n, _)| {
                let own = Name::new(n);
                own.joined() == name.joined() || own.first() == name.joined()
            })?;
            Some((*v, near.0))
        })
        .collect();
    if strange.is_empty() {
        return by;
    }
    let pairs: Vec<String> = strange.iter().map(|(v, n)| format!("{}: {}", quoted(v), quoted(n))).collect();
    format!("default({{{}}}[default({by}, '')], {by})", pairs.join(", "))
}

/// The member that an argument filters by.
fn filterable<'a>(members: &[(&'a str, Node<'a>)], name: &Name) -> Option<(&'a str, Node<'a>)> {
    let scalar = |node: &Node<'_>| match node.primary() {
        Some("object") => false,
        Some("array") => node.items().is_none_or(|i| !matches!(i.primary(), Some("object" | "array"))),
        _ => true,
    };
    let joined = name.joined();
    let singular = crate::words::singular(joined);
    if joined.is_empty() {
        return None;
    }
    members
        .iter()
        .find(|(n, node)| Name::new(n).joined() == joined && scalar(node))
        .or_else(|| {
            members.iter().find(|(n, node)| {
                let own = Name::new(n);
                (own.joined() == singular || crate::words::singular(own.joined()) == joined) && scalar(node)
            })
        })
        .copied()
}

/// The value that a member must equal; lists given as text are split.
fn wanted(steer: &Steer<'_>, member: &Node<'_>) -> String {
    let value = arg(steer.argument);
    let text = steer.node.primary() == Some("string") && steer.node.values().is_empty();
    let listed = steer.node.text("description").to_ascii_lowercase();
    if text && (listed.contains("comma") || steer.name.last() == "ids") && member.primary() != Some("boolean")
    {
        return format!("{value} == null ? null : split({value}, ',')");
    }
    value
}

/// A bound on a member: `min_price`, `created_after`, `price[gte]`.
fn bound(steer: &Steer<'_>, members: &[(&str, Node<'_>)]) -> Option<String> {
    const LOW: &[&str] =
        &["min", "minimum", "gte", "gt", "from", "after", "since", "start", "above", "ge", "greater"];
    const HIGH: &[&str] =
        &["max", "maximum", "lte", "lt", "to", "before", "until", "end", "below", "le", "less"];
    let name = &steer.name;
    if name.len() < 2 {
        return None;
    }
    let words: Vec<&str> = name.words().collect();
    let (mark, rest) = match (words.first(), words.last()) {
        (Some(first), _) if LOW.contains(first) || HIGH.contains(first) => (*first, words[1..].to_vec()),
        (_, Some(last)) if LOW.contains(last) || HIGH.contains(last) => {
            (*last, words[..words.len() - 1].to_vec())
        }
        _ => return None,
    };
    let low = LOW.contains(&mark);
    let strict = matches!(mark, "gt" | "lt" | "above" | "below");
    let stem = rest.concat();
    let ordered = |node: &Node<'_>| match node.primary() {
        Some("integer" | "number") => true,
        Some("string") => node.text("format").starts_with("date"),
        _ => false,
    };
    let (found, _) = members.iter().find(|(n, node)| {
        let own = Name::new(n);
        let base = own.joined();
        let date = ["at", "date", "time", "on"].iter().any(|e| base.strip_suffix(e) == Some(stem.as_str()));
        (base == stem || date) && ordered(node)
    })?;
    let sign = match (low, strict) {
        (true, true) => ">",
        (true, false) => ">=",
        (false, true) => "<",
        (false, false) => "<=",
    };
    let (value, held) = (arg(steer.argument), member("it", found));
    Some(format!("({value} == null || {held} != null && {held} {sign} {value})"))
}

/// Members beside the rows: how many there are, and how to get the next.
pub(super) struct Totals<'p>(pub &'p Paging);

impl Beside for Totals<'_> {
    fn member(&self, name: &Name, node: &Node<'_>) -> Option<Json> {
        let of = |kind: &str| node.primary() == Some(kind) || node.primary().is_none();
        let number = of("integer") || of("number");
        let page = self.0;
        let offset = page
            .offset
            .as_deref()
            .map_or("0".to_owned(), |o| if o.contains(' ') { format!("({o})") } else { o.to_owned() });
        let offset = if page.page.is_none() && !page.by_token && page.offset.is_some() {
            format!("default({offset}, 0)")
        } else {
            offset
        };
        let more = format!("{offset} + size(rows) < total");
        let limit = match page.limit.as_deref() {
            Some(limit) if limit.starts_with("default(") || limit.chars().all(|c| c.is_ascii_digit()) => {
                limit.to_owned()
            }
            Some(limit) => format!("default({limit}, {PAGE})"),
            None => "max(size(rows), 1)".to_owned(),
        };
        let template = match name.joined() {
            "total" | "totalcount" | "totalresults" | "totalitems" | "totalrecords" | "totalelements"
            | "totalrows" | "totalhits" | "recordstotal" | "recordsfiltered" | "numfound" | "totalnumber"
            | "totalsize" | "matches" | "found" | "totalentries" | "totalobjects" | "resultcount"
            | "resultscount" | "numresults" | "odatacount" | "recordcount" | "numberofresults"
                if number =>
            {
                json!("total")
            }
            "count" if number => {
                json!(if page.limit.is_some() && page.offset.is_some() { "total" } else { "size(rows)" })
            }
            "size" | "length" | "returned" | "numberofelements" | "itemcount" | "numitems" | "retrieved"
            | "currentcount" | "pagecountitems"
                if number && page.page.is_none() =>
            {
                json!("size(rows)")
            }
            "numberofelements" | "returned" | "length" | "itemcount" | "retrieved" if number => {
                json!("size(rows)")
            }
            "size" | "pagesize" | "perpage" | "limit" | "maxresults" | "itemsperpage" if number => {
                json!(limit)
            }
            "offset" | "skip" | "start" | "startindex" | "startat" if number => json!(offset),
            "page" | "pagenumber" | "currentpage" | "pageno" | "pageindex" | "pagenum" if number => {
                json!(page.page.clone().unwrap_or_else(|| format!("{}", page.first_page.max(1))))
            }
            "number" if number && page.page.is_some() => json!(page.page.clone().unwrap_or_default()),
            "totalpages" | "pagecount" | "lastpage" | "pages" | "numpages" | "pagetotal" if number => {
                json!(format!("int(ceil(total / {limit}))"))
            }
            "hasmore" | "hasnext" | "hasnextpage" | "more" | "istruncated" | "moreitems" | "morerecords"
                if of("boolean") =>
            {
                json!(more)
            }
            "last" | "islast" | "islastpage" if node.primary() == Some("boolean") => {
                json!(format!("!({more})"))
            }
            "first" | "isfirst" | "isfirstpage" if node.primary() == Some("boolean") => {
                json!(format!("{offset} == 0"))
            }
            "empty" if node.primary() == Some("boolean") => json!("total == 0"),
            "hasprevious" | "hasprev" | "haspreviouspage" if of("boolean") => json!(format!("{offset} > 0")),
            "nextcursor" | "nexttoken" | "nextpagetoken" | "continuationtoken" | "endcursor"
            | "nextmarker" | "cursor" | "pagetoken" | "paginationtoken"
                if of("string") && page.by_token =>
            {
                let end = if allows_null(node) { "null" } else { "''" };
                json!(format!("{more} ? string({offset} + size(rows)) : {end}"))
            }
            "nextcursor" | "nexttoken" | "nextpagetoken" | "nextlink" | "next" | "previous" | "prev"
            | "nextpage" | "prevpage" | "previouspage" | "odatanextlink" | "nextpageurl" | "prevpageurl"
                if allows_null(node) =>
            {
                Json::Null
            }
            "nextpage" if number && page.page.is_some() => return None,
            "success" | "ok" | "issuccess" | "successful" if of("boolean") => json!(true),
            _ => return None,
        };
        Some(template)
    }
}

fn allows_null(node: &Node<'_>) -> bool {
    match node.resolved().get("type") {
        Some(Json::Array(types)) => types.iter().any(|t| t == "null"),
        Some(_) => false,
        None => true,
    }
}
