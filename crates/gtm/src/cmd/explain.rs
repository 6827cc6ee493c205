//! `gtm explain`: what an error code means and what to do about it.

use crate::output::{self, Out, Result, Status};
use crate::suggest;
use gtm_error::Code;
use serde_json::{Value, json};

/// Explain an error code
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Code, such as GTM0101
    #[arg(required_unless_present = "list")]
    code: Option<String>,
    /// List all codes
    #[arg(long, conflicts_with = "code")]
    list: bool,
    /// Print JSON, one line a code
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Status> {
    let mut out = Out::new();
    match &args.code {
        None => {
            for code in Code::ALL {
                match args.json {
                    true => out.json(&row(*code))?,
                    false => out.line(format!("{}  {}", out.paint.strong(code.id()), code.title()))?,
                }
            }
        }
        Some(text) => {
            let code = find(text)?;
            if args.json {
                out.json(&row(code))?;
            } else {
                let paint = out.paint;
                out.line(format!("{}: {}", paint.strong(code.id()), code.title()))?;
                out.line(format!("\n{}\n", code.explain()))?;
                out.line(format!("{}: {}", paint.strong("What to do"), code.advice()))?;
                out.line(format!("{}: {}", paint.strong("Over HTTP"), code.http_status()))?;
            }
        }
    }
    out.flush()?;
    Ok(Status::Done)
}

/// The code meant; `101` and `[GTM0101]` will do.
fn find(text: &str) -> Result<Code> {
    let bare = text.trim().trim_matches(['[', ']']);
    let number = bare.parse::<u16>().ok().map(|n| format!("GTM{n:04}"));
    if let Some(code) = Code::parse(bare).or_else(|| Code::parse(&number?)) {
        return Ok(code);
    }
    let near = suggest::near(bare, Code::ALL.iter().map(|c| c.id()));
    let hint = match near.is_empty() {
        true => "see `gtm explain --list`".to_owned(),
        false => format!("did you mean {}? See `gtm explain --list`", near.join(", ")),
    };
    Err(output::usage(format!("there is no error code `{bare}`")).hint(hint).into())
}

fn row(code: Code) -> Value {
    json!({
        "code": code.id(),
        "title": code.title(),
        "explain": code.explain(),
        "advice": code.advice(),
        "http_status": code.http_status(),
    })
}
