//! What the members of error bodies and envelopes are for, by their usual names.

/// What a member tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Message,
    Kind,
    Status,
    Path,
    Success,
    Problems,
}

/// What a member of this name tells of a failure or of success; `None` for any other.
pub(crate) fn role(name: &str) -> Option<Role> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "message" | "msg" | "error" | "errormessage" | "detail" | "details" | "description"
        | "errordescription" | "title" | "reason" | "text" | "fault" | "faultstring" | "exception"
        | "usermessage" => Role::Message,
        "code" | "errorcode" | "type" | "kind" | "name" | "errortype" | "slug" => Role::Kind,
        "status" | "statuscode" | "httpstatus" | "httpstatuscode" | "httpcode" => Role::Status,
        "field" | "param" | "parameter" | "path" | "property" | "argument" | "target" | "pointer"
        | "location" => Role::Path,
        "success" | "ok" | "succeeded" => Role::Success,
        "errors" | "violations" | "problems" | "issues" | "messages" => Role::Problems,
        _ => return None,
    })
}
