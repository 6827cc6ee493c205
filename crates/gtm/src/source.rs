//! Where tools come from: files, addresses, live MCP servers. Only what the user names on the
//! command line is ever read; nothing that a spec points to is.

mod live;
mod web;

use crate::output;
use gtm_error::{Code, Error, Result};
use gtm_sim::Toolset;
use gtm_tool::{Imported, Limits};
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long an address or a live server may take in all.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One place that tools come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A spec file, a toolset file, or a folder of specs.
    Path(PathBuf),
    /// A spec at an http(s) address.
    Url(String),
    /// A live MCP server, by its streamable HTTP address.
    McpHttp(String),
    /// A live MCP server, started as a child process that speaks over standard input and output.
    McpCommand(Vec<String>),
}

impl Source {
    /// Understands `mcp+http(s)://…`, `mcp+cmd:COMMAND ARGS`, `http(s)://…`, and paths.
    pub(crate) fn parse(text: &str) -> Result<Source> {
        if let Some(address) = text.strip_prefix("mcp+").filter(|rest| is_address(rest)) {
            return Ok(Source::McpHttp(address.to_owned()));
        }
        if let Some(command) = text.strip_prefix("mcp+cmd:") {
            return Source::command(command);
        }
        if is_address(text) {
            return Ok(Source::Url(text.to_owned()));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme
            .filter(|s| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)))
        {
            Some(scheme) if !Path::new(text).exists() => {
                Err(output::usage(format!("addresses of the kind `{scheme}` are not read"))
                    .expected("http, https, mcp+http, mcp+https, mcp+cmd:COMMAND, or a path"))
            }
            _ => Ok(Source::Path(PathBuf::from(text))),
        }
    }

    fn command(text: &str) -> Result<Source> {
        match split_words(text) {
            Some(words) if !words.is_empty() => Ok(Source::McpCommand(words)),
            Some(_) => {
                Err(output::usage("the command is empty").expected("such as `npx -y some-mcp-server`"))
            }
            None => Err(output::usage(format!("a quote is not closed in `{text}`"))),
        }
    }

    /// Reads all tools, and where it is a toolset all else.
    pub(crate) fn load(&self, live: &Live) -> Result<Toolset> {
        match self {
            Source::Path(path) => Toolset::load(path),
            _ => Ok(Toolset::from_tools(self.name(), self.import(live)?.tools)),
        }
    }

    /// Reads the tools of a source that is no file.
    pub(crate) fn import(&self, live: &Live) -> Result<Imported> {
        let limits = Limits::default();
        let bytes = match self {
            Source::Path(path) => {
                return Err(Error::new(Code::Internal, format!("{} is a file", path.display())));
            }
            Source::Url(address) => web::fetch(address, &limits)?,
            Source::McpHttp(address) => live::over_http(address, live.mcp_token.as_deref(), &limits)?,
            Source::McpCommand(command) => live::by_command(command, &limits)?,
        };
        gtm_tool::import(&bytes, &limits).map_err(|e| e.at(self))
    }

    /// A name for the toolset.
    pub(crate) fn name(&self) -> String {
        let name = match self {
            Source::Path(path) => path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            Source::Url(address) => {
                let path = address.split(['?', '#']).next().unwrap_or_default();
                let last = path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
                last.split('.').next().unwrap_or_default().to_owned()
            }
            Source::McpHttp(address) => {
                let host = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
                host.split(['/', ':', '@']).next().unwrap_or_default().to_owned()
            }
            Source::McpCommand(command) => {
                let word = command.iter().rev().find(|word| !word.starts_with('-'));
                let word = word.map_or("", String::as_str);
                word.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default().to_owned()
            }
        };
        let name: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' })
            .take(64)
            .collect();
        if name.is_empty() { "toolset".to_owned() } else { name }
    }

    /// The path, if a toolset file can refer to it.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Source::Path(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Path(path) => write!(f, "{}", path.display()),
            Source::Url(address) => f.write_str(address),
            Source::McpHttp(address) => write!(f, "mcp+{address}"),
            Source::McpCommand(command) => write!(f, "mcp+cmd:{}", command.join(" ")),
        }
    }
}

fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// Words as a shell splits them: quotes group, a backslash takes the next character as it is.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Live MCP servers, given by flags.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Live {
    /// Take the tools of a live MCP server, by its streamable HTTP address
    #[arg(long = "mcp", value_name = "URL", help_heading = "Live MCP servers")]
    mcp: Vec<String>,
    /// Take the tools of a live MCP server, started by this command: "COMMAND ARGS"
    #[arg(long = "mcp-command", value_name = "COMMAND", help_heading = "Live MCP servers")]
    mcp_command: Vec<String>,
    /// Bearer token for --mcp
    #[arg(
        long,
        value_name = "TOKEN",
        env = "GTM_MCP_TOKEN",
        hide_env_values = true,
        help_heading = "Live MCP servers"
    )]
    mcp_token: Option<String>,
    /// The same as --mcp-command, at the end of the line: -- COMMAND ARGS
    #[arg(last = true, value_name = "COMMAND", help_heading = "Live MCP servers")]
    command: Vec<String>,
}

impl Live {
    /// The sources that flags and positional arguments name.
    pub(crate) fn sources(&self, positional: &[String]) -> Result<Vec<Source>> {
        let mut sources = positional.iter().map(|text| Source::parse(text)).collect::<Result<Vec<_>>>()?;
        for address in &self.mcp {
            match is_address(address) {
                true => sources.push(Source::McpHttp(address.clone())),
                false => {
                    return Err(output::usage(format!("`{address}` is no address"))
                        .expected("such as http://127.0.0.1:8000/mcp"));
                }
            }
        }
        for command in &self.mcp_command {
            sources.push(Source::command(command)?);
        }
        if !self.command.is_empty() {
            sources.push(Source::McpCommand(self.command.clone()));
        }
        Ok(sources)
    }

    /// Whether a flag names a source, so that no positional argument is one.
    pub(crate) fn given(&self) -> bool {
        !(self.mcp.is_empty() && self.mcp_command.is_empty() && self.command.is_empty())
    }

    /// The one source of a command that takes one toolset.
    pub(crate) fn one(&self, positional: Option<&str>) -> Result<Source> {
        let positional: Vec<String> = positional.map(str::to_owned).into_iter().collect();
        let mut sources = self.sources(&positional)?;
        match (sources.pop(), sources.is_empty()) {
            (Some(source), true) => Ok(source),
            (None, _) => Err(no_toolset()),
            (Some(_), false) => Err(output::usage("this command takes one toolset")
                .hint("list several specs under `specs:` in a toolset file")),
        }
    }
}

/// What to say when no toolset is named.
pub(crate) fn no_toolset() -> Error {
    output::usage("no toolset is given")
        .expected("a spec file, folder, toolset file, address, `--mcp URL` or `--mcp-command COMMAND`")
        .hint("try `gtm try examples/petstore.yaml`")
}

/// Runs something that waits for the network. Most commands never come here.
fn wait<T>(source: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let unreachable = |what: String| Error::new(Code::SourceUnreachable, what).at(source);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| unreachable(format!("cannot wait for the network: {e}")))?;
    let result = runtime.block_on(async {
        match tokio::time::timeout(TIMEOUT, work).await {
            Ok(result) => result,
            Err(_) => Err(unreachable(format!("no answer within {} s", TIMEOUT.as_secs()))),
        }
    });
    // A child process that does not end is killed when its handle goes; do not wait for more.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}

/// An HTTP client that changes nothing: it follows no redirect, waits for ever and names no agent.
pub(crate) fn plain_client() -> Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .map_err(|e| Error::new(Code::SourceUnreachable, format!("cannot make an HTTP client: {e}")))
}

/// An HTTP client that follows few redirects, never from https to http.
fn client() -> Result<reqwest::Client> {
    // Fails only if one is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let policy = reqwest::redirect::Policy::custom(|attempt| {
        let downgrade =
            attempt.url().scheme() != "https" && attempt.previous().iter().any(|u| u.scheme() == "https");
        match (attempt.previous().len(), downgrade) {
            (_, true) => attempt.error("redirected from https to http"),
            (4.., _) => attempt.error("redirected more than three times"),
            _ => attempt.follow(),
        }
    });
    reqwest::Client::builder()
        .user_agent(concat!("gtm/", env!("CARGO_PKG_VERSION")))
        .redirect(policy)
        .connect_timeout(Duration::from_secs(10))
        .timeout(TIMEOUT)
        .build()
        .map_err(|e| Error::new(Code::SourceUnreachable, format!("cannot make an HTTP client: {e}")))
}

/// An error with its causes, which reqwest and rmcp keep to themselves.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let parse = |text| Source::parse(text).map_err(|e| e.code());
        assert_eq!(parse("a/b.yaml"), Ok(Source::Path("a/b.yaml".into())));
        assert_eq!(parse("HTTPS://x.example/a.json"), Ok(Source::Url("HTTPS://x.example/a.json".into())));
        assert_eq!(parse("mcp+http://x.example/mcp"), Ok(Source::McpHttp("http://x.example/mcp".into())));
        assert_eq!(
            parse("mcp+cmd:a -b 'c d'"),
            Ok(Source::McpCommand(vec!["a".into(), "-b".into(), "c d".into()]))
        );
        for wrong in ["ftp://x.example/a", "file:///etc/passwd", "mcp+cmd:", "mcp+cmd:'a"] {
            assert_eq!(parse(wrong), Err(Code::Usage), "{wrong}");
        }
    }

    #[test]
    fn names_come_from_what_is_named() {
        let name = |text: &str| Source::parse(text).map(|s| s.name()).unwrap_or_default();
        assert_eq!(name("dir/petstore.yaml"), "petstore");
        assert_eq!(name("https://x.example/v1/open-api.json?x=a/b"), "open-api");
        assert_eq!(name("mcp+http://x.example:80/mcp"), "x.example");
        assert_eq!(name("mcp+cmd:npx -y @scope/server-files"), "server-files");
        assert_eq!(name("mcp+cmd:python server.py --x"), "server");
    }

    #[test]
    fn words_split_as_in_a_shell() {
        let split = |text: &str| split_words(text).map(|w| w.join("|"));
        assert_eq!(split("a  b\t'c d' \"e \\\" f\" g\\ h ''").as_deref(), Some("a|b|c d|e \" f|g h|"));
        assert_eq!(split("a 'b"), None);
        assert_eq!(split(""), Some(String::new()));
    }
}
