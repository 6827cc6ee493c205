//! Report pages: one file, without anything from elsewhere, that is good to look at on light and dark paper.

mod text;

pub use text::{count, escaped, figure};

/// One part of a page.
#[derive(Clone, Debug)]
pub struct Section {
    /// Anchor, for links to it.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What to know before reading it; may be empty. HTML.
    pub note: String,
    /// HTML.
    pub body: String,
}

/// A page. `title` is text; `lead`, `footer` and what is in sections is HTML that the caller has escaped; `style` is
/// added to the look that all pages share, `script` runs at the end.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// What it is about.
    pub title: &'a str,
    /// One paragraph.
    pub lead: &'a str,
    /// Parts, in order; each is linked to at the top.
    pub sections: &'a [Section],
    /// Last line.
    pub footer: &'a str,
    /// Rules of its own.
    pub style: &'a str,
    /// What makes it move.
    pub script: &'a str,
}

impl Page<'_> {
    /// The page as HTML.
    pub fn html(&self) -> String {
        let Page { title, lead, sections, footer, style, script } = *self;
        let title = escaped(title);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}</title><style>{}{style}</style></head><body>\n<h1>{title}</h1><p class=\"lead\">{lead}</p>",
            include_str!("style.css"),
        );
        let links: String =
            sections.iter().map(|s| format!("<a href=\"#{}\">{}</a>", s.id, s.title)).collect();
        out.push_str(&format!("<nav>{links}</nav>\n"));
        for Section { id, title, note, body } in sections {
            let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{note}</p>") };
            out.push_str(&format!("<section id=\"{id}\"><h2>{title}</h2>{note}{body}</section>\n"));
        }
        out.push_str(&format!("<footer>{footer}</footer><script>{script}</script></body></html>\n"));
        out
    }
}
