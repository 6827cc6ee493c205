//! The table of error codes. One row per code; `gtm explain`, problem documents and the reference
//! page are all made from it.

macro_rules! codes {
    ($($variant:ident = $id:literal, $status:literal, $title:literal, $advice:literal, $explain:literal;)*) => {
        /// A stable error code. The number never changes its meaning and is never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $id, "`: ", $title)] $variant,)*
        }

        impl Code {
            /// Every code, in order of its number.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The code as users see it, such as `GTM0101`.
            pub fn id(self) -> &'static str {
                match self { $(Code::$variant => $id),* }
            }

            /// A short title.
            pub fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// The HTTP status that carries it.
            pub fn http_status(self) -> u16 {
                match self { $(Code::$variant => $status),* }
            }

            /// What to do, in general.
            pub fn advice(self) -> &'static str {
                match self { $(Code::$variant => $advice),* }
            }

            /// A paragraph for `gtm explain`.
            pub fn explain(self) -> &'static str {
                match self { $(Code::$variant => $explain),* }
            }
        }
    };
}

codes! {
    // 01: documents and tool specs
    FileUnreadable = "GTM0101", 400, "cannot read the file",
        "check the path and its permissions",
        "The file or folder could not be opened or read. The message carries the system's own reason.";
    SpecFormatUnknown = "GTM0102", 400, "format not recognised",
        "give an OpenAPI or Swagger document, an MCP tools list, OpenAI tools, BFCL or ToolBench lists, or GTM's own JSON Lines",
        "GTM looks at what a document holds, not at its name. It found none of the shapes it knows: `openapi` or `swagger` at the top, `tools` with `inputSchema`, `type: function` entries, `api_list`, or lines with `name` and `parameters`.";
    SpecMalformed = "GTM0103", 400, "malformed document",
        "mend the document at the place shown",
        "The document is of a known format but breaks its rules at the place shown, so no tools could be taken from it. A fault in one operation leaves out that operation only; it is listed by `gtm tools`.";
    SpecTooLarge = "GTM0104", 413, "document over a size limit",
        "split the document, or raise the limit in the toolset's `limits` if you trust it",
        "Specs are untrusted input. Before any other library sees a schema, GTM counts its bytes, depth, nodes, enum values, properties and the cost of expanding its references, and refuses what exceeds the documented limits (docs/limits.md).";
    SpecSyntax = "GTM0105", 400, "not valid JSON or YAML",
        "mend the syntax at the line and column shown",
        "The text is neither JSON nor YAML. YAML anchors are allowed, but documents whose aliases expand beyond the budget are refused.";
    RefRefused = "GTM0106", 400, "reference refused",
        "bundle the document so that every `$ref` starts with `#/`",
        "GTM never fetches what a spec points to: no network address, no file. Only references inside the same document (`#/...`) are followed. A remote reference is reported here and the operation that needs it is left out.";
    SchemaInvalid = "GTM0107", 400, "schema not valid",
        "mend the schema at the place shown",
        "A JSON Schema in the spec cannot be compiled even after known dialect slips (OpenAPI `nullable`, Python type names) were mended.";
    SourceUnreachable = "GTM0108", 502, "cannot reach the source",
        "check the address or command, and that the server is running",
        "The URL or live MCP server named on the command line did not answer with a tools list in time.";
    // 02: toolsets, behaviors, expressions
    ToolsetInvalid = "GTM0201", 400, "toolset not valid",
        "mend the toolset at the place shown; its JSON Schema is docs/toolset.schema.json",
        "The toolset file has a key or value that its schema does not allow.";
    BehaviorInvalid = "GTM0202", 400, "behavior not valid",
        "mend the behavior at the place shown; the reference page is docs/behaviors.md",
        "A behavior breaks the rules of the behavior language: an unknown step, a missing part, a place that is not a path into state, or a name used before it is bound.";
    ExpressionInvalid = "GTM0203", 400, "expression not valid",
        "mend the expression; the functions are listed in docs/behaviors.md",
        "A CEL expression does not parse, calls an unknown function, or is larger or deeper than allowed.";
    BehaviorBudget = "GTM0204", 500, "behavior over its budget",
        "make the behavior cheaper, or raise `limits` in the toolset",
        "Behaviors are total: each call has fuel (work), a depth and a size limit. One ran out. The call changed nothing.";
    TooManyTools = "GTM0205", 413, "too many tools",
        "split the toolset, or raise its limit",
        "The toolset holds more tools than the limit allows.";
    DuplicateTool = "GTM0206", 400, "two tools of one name",
        "rename one of them, or put the specs into two toolsets",
        "Two different specs in one toolset declare the same tool name, and GTM will not guess which is meant.";
    EnvironmentInvalid = "GTM0207", 400, "environment not valid",
        "mend the environment at the place shown; the guide is docs/environments.md, its JSON Schema docs/environment.schema.json",
        "An environment or a file of tasks has a key or value that its schema does not allow, names a tool or toolset that is not there, or has a check that says nothing, or several things at once.";
    // 03: sessions and calls
    SessionUnknown = "GTM0301", 404, "no such session",
        "create a session first (`POST /v1/sessions`), or check its id",
        "No live session has this id. It was never created, was deleted, or the server restarted without `--data`.";
    SessionExpired = "GTM0302", 410, "session expired",
        "create a new session; raise `ttl_s` to keep idle ones longer",
        "The session was idle longer than its time to live, or made room for others, and was removed.";
    SessionExists = "GTM0303", 409, "session exists already",
        "choose another id, or delete the old session first",
        "A session of this id is live, with other options than the ones given.";
    SessionLimit = "GTM0304", 429, "too many sessions",
        "delete sessions you no longer need, or raise `--max-sessions`",
        "The server holds as many live sessions as it is allowed to. Try again after the time in `Retry-After`.";
    SnapshotUnknown = "GTM0305", 404, "no such snapshot",
        "list the session's snapshots, or take one first",
        "Rollback was asked to a snapshot or a turn that this session does not have.";
    IdempotencyConflict = "GTM0306", 409, "idempotency key used for another call",
        "use a fresh key for each different call",
        "The key was used before in this session with another tool or other arguments. A retried call must be the same call.";
    StateLimit = "GTM0307", 413, "session over its size limit",
        "delete records, reset the session, or raise `limits.state_bytes`",
        "The session's state or history would grow beyond its limit. The call changed nothing.";
    StateInvalid = "GTM0308", 400, "state not valid",
        "give a JSON object as initial state",
        "The initial state given cannot be used: it is not an object, or exceeds the depth or size limit.";
    ToolsetUnknown = "GTM0309", 404, "no such toolset",
        "name one of the toolsets that the server was started with (`GET /v1/toolsets`)",
        "The request names a toolset that this server does not hold.";
    TaskUnknown = "GTM0310", 404, "no such task",
        "list the environment's tasks (`GET /v1/environments/{environment}/tasks`)",
        "The request names an environment that this server does not hold, or a task that the environment does not have.";
    EpisodeOver = "GTM0311", 409, "attempt is over",
        "start a new attempt, or reset the session",
        "The session is an attempt at a task, and the attempt is over: the goal was reached, an answer was handed in, or all calls were used. It takes no more calls.";
    // 04: requests
    RequestMalformed = "GTM0401", 400, "malformed request",
        "mend the request body at the place shown; `GET /openapi.json` describes it",
        "The request body is not JSON, or lacks a member that is needed.";
    RequestTooLarge = "GTM0402", 413, "request too large",
        "send a smaller body, or raise `--max-body`",
        "The body exceeds the server's limit.";
    Unauthorized = "GTM0403", 401, "no valid API key",
        "send `Authorization: Bearer KEY` or `X-API-Key: KEY`",
        "The server was started with an API key and the request carried none, or a wrong one.";
    OriginRefused = "GTM0404", 403, "origin or host refused",
        "call from an allowed origin, or start the server with `--allow-origin` / `--allow-host`",
        "To keep web pages from reaching a local server by DNS rebinding, requests with a foreign `Host` or `Origin` header are refused.";
    RateLimited = "GTM0405", 429, "too many requests",
        "wait for the time in `Retry-After`",
        "More requests are in flight, or arrived in the last second, than the server is set to take.";
    NotFound = "GTM0406", 404, "no such route",
        "see `GET /openapi.json` for the routes",
        "Nothing is served at this path and method.";
    Internal = "GTM0407", 500, "internal error",
        "please report it with the request that caused it",
        "A bug in GTM. The request had no effect; other sessions are untouched.";
    ShuttingDown = "GTM0408", 503, "shutting down",
        "retry against another replica",
        "The server was asked to stop and takes no new work.";
    BindRefused = "GTM0409", 400, "address refused",
        "use a loopback address, or give `--allow-remote` together with `--api-key`",
        "GTM binds to loopback unless told otherwise, since a simulator has no business on an open network.";
    RequestTimeout = "GTM0410", 408, "request took too long to arrive",
        "send headers and body faster",
        "The headers or the body did not arrive within the server's time limit.";
    // 05: storage
    StorageFailed = "GTM0501", 507, "cannot store",
        "free disk space or choose another `--data` folder; reads go on",
        "A write to the data folder failed, so the call was not acknowledged and changed nothing.";
    StorageCorrupt = "GTM0502", 500, "stored session damaged",
        "restore the file from a backup, or delete it to drop the session",
        "A stored session failed its checksum before its last complete entry.";
    // 06: the command line
    Usage = "GTM0601", 400, "wrong usage",
        "see `gtm --help`",
        "The command line does not make sense as given.";
    // 07: recorded sessions
    RecordingInvalid = "GTM0701", 400, "recorded session not valid",
        "mend the line shown; each line is one session: `{session_id, tools, initial_state?, turns: [{call: {name, arguments}, response, is_error}]}`",
        "A file of recorded sessions (JSON Lines, one session a line, plain or compressed with zstd) has a line that is not JSON, lacks a member that is needed, or is too long. Nothing after that line was used.";
    // 08: making training data
    PackInvalid = "GTM0801", 400, "domain pack not valid",
        "mend the pack at the place shown; the guide is docs/packs.md, its JSON Schema docs/pack.schema.json",
        "A domain pack has a key or value that its schema does not allow, refers to something it does not define, or states a worked value that its own formula does not give. `gtm carg lint` shows every fault of a pack at once.";
    DatasetOther = "GTM0802", 400, "another dataset is there",
        "choose another folder, or give the seed, number of sessions and packs that the folder was made with",
        "The folder given to `gtm carg run` holds a dataset that was made from another seed, number of sessions, version or set of packs. Going on would mix two datasets, so nothing was written.";
    DatasetConfig = "GTM0803", 400, "configuration of a dataset not valid",
        "mend the configuration at the place shown; docs/carg.md lists its keys",
        "The configuration given to `gtm carg run` has a key or value that is not allowed, names nothing that tools could be made of, or nothing can be made of what it names.";
    // 09: models and training
    ModelInvalid = "GTM0901", 400, "model not valid",
        "give a Hugging Face folder of a Qwen2 model: `config.json`, `model.safetensors`, `tokenizer.json`",
        "A model's configuration, weights or tokenizer cannot be used: a file is damaged or of another kind, a tensor is missing or of another shape, or the architecture asks for what is not supported. Headers and shapes are checked before weights are read.";
    ModelLimit = "GTM0902", 413, "over a limit of the model",
        "shorten the request, or raise the engine's context or cache",
        "A request needs a longer context than the engine was set to, or more memory for what sequences remember than it may take. Nothing was changed.";
    ModelBusy = "GTM0903", 429, "the model has too many requests waiting",
        "retry later, or raise the length of its queue",
        "The engine's queue is bounded, and full. Requests that are running go on.";
    ModelCancelled = "GTM0904", 503, "the request to the model was given up",
        "retry if the reply is still wanted",
        "Whoever waited for the text let go of it, its deadline passed, or the engine is stopping.";
    GrammarInvalid = "GTM0905", 400, "no grammar can be made of this",
        "simplify the schema at the place that the message names",
        "Text is only ever generated under a grammar. The schema asks for something that the grammar compiler does not support or that exceeds its limits, so nothing was generated.";
    TrainingInvalid = "GTM0906", 400, "training configuration not valid",
        "mend the configuration at the place shown; docs/training.md lists its keys",
        "The training configuration has a key or value that is not allowed, or does not fit the model or the data it names.";
    DatasetInvalid = "GTM0907", 400, "dataset not valid",
        "mend the line shown; every line is a JSON object with `prompt` and `completion`",
        "A dataset is JSON Lines, plain or zstd-compressed, with a text `prompt` and a text `completion` on each line.";
    TrainingDiverged = "GTM0908", 500, "training diverged",
        "lower the learning rate, or resume from an earlier checkpoint with other data",
        "The loss or a gradient is no longer a finite number. Nothing was written after the last checkpoint.";
}

impl Code {
    /// The code with this id (case-insensitive), such as `gtm0101`.
    pub fn parse(id: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|c| c.id().eq_ignore_ascii_case(id))
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn ids_are_unique_sorted_and_parse_back() {
        assert!(Code::ALL.windows(2).all(|w| w[0].id() < w[1].id()));
        for &code in Code::ALL {
            assert_eq!(Code::parse(&code.id().to_lowercase()), Some(code));
            assert!((400..600).contains(&code.http_status()));
        }
    }
}
