//! Names of types, as found in the wild.

/// The JSON Schema type that a name means; `None` where it means anything, or nothing known.
pub(super) fn standard(name: &str) -> Option<&'static str> {
    // `List[int]`, `Optional[str]`, `str, optional`
    let lower = name.trim().to_ascii_lowercase();
    let head = lower.split(['[', '<', '(', ',', ' ', '|']).next().unwrap_or_default();
    if head == "optional" {
        let inner = lower.split_once('[').map(|(_, rest)| rest.trim_end_matches(']'));
        return inner.and_then(standard);
    }
    Some(match head {
        "object" | "dict" | "map" | "hash" | "hashmap" | "struct" | "record" | "json" => "object",
        "array" | "list" | "tuple" | "set" | "sequence" | "vector" | "frozenset" => "array",
        "string" | "str" | "text" | "char" | "varchar" | "enum" | "date" | "datetime" | "date-time"
        | "time" | "timestamp" | "uuid" | "guid" | "url" | "uri" | "email" | "file" | "binary" | "byte"
        | "bytes" | "password" => "string",
        "integer" | "int" | "long" | "short" | "int32" | "int64" | "uint" | "uint32" | "uint64"
        | "bigint" => "integer",
        "number" | "float" | "double" | "decimal" | "numeric" | "real" | "float32" | "float64"
        | "bigdecimal" => "number",
        "boolean" | "bool" => "boolean",
        "null" | "none" | "nil" | "nonetype" => "null",
        _ => return None,
    })
}

/// The format that a type's name implies beside the type.
pub(super) fn implied_format(name: &str) -> Option<&'static str> {
    Some(match name.trim().to_ascii_lowercase().as_str() {
        "date" => "date",
        "datetime" | "date-time" | "timestamp" => "date-time",
        "uuid" | "guid" => "uuid",
        "url" | "uri" => "uri",
        "email" => "email",
        "file" | "binary" => "binary",
        _ => return None,
    })
}
