//! What an MCP server's answer to a call says.

use serde_json::{Value, json};

/// What a tool answered, and whether that is a failure; `None` if the call is not over.
///
/// Structure is taken as it is, a single text as text, and anything else as MCP has it. A refusal
/// by the protocol is what the error says.
pub(crate) fn outcome(message: &mut Value) -> Option<(Value, bool)> {
    if let Some(error) = message.get_mut("error") {
        return Some((error.take(), true));
    }
    let result = message.get_mut("result")?;
    if result.get("resultType").and_then(Value::as_str).is_some_and(|kind| kind != "complete") {
        return None;
    }
    let failed = result.get("isError").is_some_and(|e| e == true);
    if let Some(structure) = result.get_mut("structuredContent").filter(|s| !s.is_null()) {
        return Some((structure.take(), failed));
    }
    let content = result.get_mut("content")?;
    if let Some([block]) = content.as_array_mut().map(Vec::as_mut_slice)
        && block.get("type").is_some_and(|kind| kind == "text")
        && let Some(text) = block.get_mut("text")
    {
        return Some((text.take(), failed));
    }
    Some((json!({"content": content.take()}), failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(result: Value) -> Option<(Value, bool)> {
        outcome(&mut json!({"jsonrpc": "2.0", "id": 1, "result": result}))
    }

    #[test]
    fn outcomes_as_tools_say_them() {
        let text = |text: &str| json!({"type": "text", "text": text});
        assert_eq!(result(json!({"content": [text("{\"a\":1}")]})), Some((json!("{\"a\":1}"), false)));
        assert_eq!(
            result(json!({"content": [text("5")], "structuredContent": {"result": 5}})),
            Some((json!({"result": 5}), false))
        );
        assert_eq!(result(json!({"content": [text("no")], "isError": true})), Some((json!("no"), true)));
        let two = json!([text("a"), text("b")]);
        assert_eq!(result(json!({"content": two})), Some((json!({"content": two}), false)));
        assert_eq!(result(json!({"resultType": "input_required"})), None);
        assert_eq!(
            outcome(&mut json!({"id": 1, "error": {"code": -32602, "message": "Unknown tool"}})),
            Some((json!({"code": -32602, "message": "Unknown tool"}), true))
        );
        assert_eq!(outcome(&mut json!({"id": 1})), None);
    }
}
