//! Small toolsets in the styles that are found in the wild, none of them known to the rules: each is
//! read, and then used as an agent would use it.

use gtm_read::{ReadInput, Reader, RuleFiller, RuleReader, Rung};
use gtm_world::{Clock, ErrorKind, Library, Limits, Program, ToolError, Value, World};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A toolset in use.
struct Desk {
    programs: BTreeMap<String, Program>,
    rungs: BTreeMap<String, Rung>,
    world: World,
}

impl Desk {
    fn new(tools: Json, state: Json) -> Desk {
        let tools = gtm_tool::import(tools.to_string().as_bytes(), &gtm_tool::Limits::default())
            .expect("tools")
            .tools;
        let reading = RuleReader.read(&ReadInput { tools: &tools, initial_state: &state });
        let library =
            Arc::new(Library::new(&reading.behaviors, Limits::default()).expect("collections compile"));
        let programs = tools
            .iter()
            .map(|tool| {
                let behavior = &reading.behaviors.behaviors[&tool.name];
                let program = Program::compile(&tool.name, behavior, tool.returns.as_ref(), &library);
                (tool.name.clone(), program.expect("behaviors compile"))
            })
            .collect();
        let open = state.as_object().is_none_or(serde_json::Map::is_empty);
        let world = World::new(Value::from(state), 7, open, &Clock::default()).expect("a world");
        Desk { programs, rungs: reading.rungs, world }
    }

    fn run(&mut self, tool: &str, args: &Json) -> Result<Json, ToolError> {
        let outcome = self.programs[tool].run(&self.world, &Value::from(args.clone()), &RuleFiller)?;
        self.world = outcome.world;
        Ok(outcome.reply.to_json())
    }

    fn call(&mut self, tool: &str, args: Json) -> Result<Json, ErrorKind> {
        self.run(tool, &args).map_err(|error| error.kind)
    }

    fn ok(&mut self, tool: &str, args: Json) -> Json {
        self.run(tool, &args).unwrap_or_else(|error| panic!("{tool} {args} failed: {error}"))
    }

    fn state(&self) -> Json {
        self.world.state().to_json()
    }
}

fn mcp(name: &str, description: &str, properties: Json, required: &[&str]) -> Json {
    json!({"name": name, "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required}})
}

fn function(name: &str, description: &str, properties: Json, required: &[&str]) -> Json {
    json!({"type": "function", "function": {"name": name, "description": description,
        "parameters": {"type": "object", "properties": properties, "required": required}}})
}

#[test]
fn notes_over_mcp_without_any_state() {
    let id = json!({"note_id": {"type": "string"}});
    let mut desk = Desk::new(
        json!({"tools": [
            mcp("create_note", "Create a new note", json!({"title": {"type": "string"}, "content": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}}}), &["title", "content"]),
            mcp("get_note", "Get a note by its ID", id.clone(), &["note_id"]),
            mcp("list_notes", "List all notes", json!({"limit": {"type": "integer"}}), &[]),
            mcp("search_notes", "Search notes by text", json!({"query": {"type": "string"}}), &["query"]),
            mcp("update_note", "Update a note", json!({"note_id": {"type": "string"}, "title": {"type": "string"},
                "content": {"type": "string"}}), &["note_id"]),
            mcp("delete_note", "Delete a note", id, &["note_id"]),
        ]}),
        json!({}),
    );
    assert!(desk.rungs.values().all(|rung| *rung == Rung::Rules), "{:?}", desk.rungs);
    let made = desk.ok("create_note", json!({"title": "Shopping", "content": "quince jam"}));
    let id = made["note_id"].clone();
    assert!(id.is_string(), "{made}");
    assert_eq!(desk.ok("get_note", json!({"note_id": id}))["content"], "quince jam");
    desk.ok("update_note", json!({"note_id": id, "title": "Groceries"}));
    let note = desk.ok("get_note", json!({"note_id": id}));
    assert_eq!((&note["title"], &note["content"]), (&json!("Groceries"), &json!("quince jam")));
    let found = desk.ok("search_notes", json!({"query": "quince"}));
    assert!(found.as_array().is_some_and(|rows| rows.iter().any(|row| row["note_id"] == id)), "{found}");
    let listed = desk.ok("list_notes", json!({}));
    assert!(listed.as_array().is_some_and(|rows| rows.iter().any(|row| row["note_id"] == id)), "{listed}");
    desk.ok("delete_note", json!({"note_id": id}));
    assert_eq!(desk.call("get_note", json!({"note_id": id})), Err(ErrorKind::NotFound));
}

fn bank() -> Desk {
    let account = json!({"accountId": {"type": "string"}});
    let with_amount = json!({"accountId": {"type": "string"}, "amount": {"type": "number"}});
    Desk::new(
        json!([
            function("getAccount", "Returns an account.", account.clone(), &["accountId"]),
            function("getBalance", "Returns the balance of an account.", account.clone(), &["accountId"]),
            function(
                "listAccounts",
                "Lists accounts, optionally of one owner.",
                json!({"owner": {"type": "string"}}),
                &[]
            ),
            function(
                "depositMoney",
                "Deposits money into an account.",
                with_amount.clone(),
                &["accountId", "amount"]
            ),
            function(
                "withdrawMoney",
                "Withdraws money from an account.",
                with_amount,
                &["accountId", "amount"]
            ),
            function(
                "transferMoney",
                "Transfers money between two accounts.",
                json!({"fromAccountId": {"type": "string"},
                "toAccountId": {"type": "string"}, "amount": {"type": "number"}}),
                &["fromAccountId", "toAccountId", "amount"]
            ),
            function("freezeAccount", "Freezes an account.", account, &["accountId"]),
            function(
                "openAccount",
                "Opens an account for an owner.",
                json!({"owner": {"type": "string"}}),
                &["owner"]
            ),
        ]),
        json!({"accounts": [
            {"accountId": "A-1", "owner": "Ida", "balance": 100.0, "status": "active"},
            {"accountId": "A-2", "owner": "Bo", "balance": 5.5, "status": "active"},
            {"accountId": "A-3", "owner": "Ida", "balance": 0.0, "status": "frozen"},
        ]}),
    )
}

#[test]
fn money_is_neither_made_nor_lost() {
    let mut desk = bank();
    assert_eq!(desk.ok("getAccount", json!({"accountId": "A-2"}))["owner"], "Bo");
    assert_eq!(desk.call("getAccount", json!({"accountId": "A-9"})), Err(ErrorKind::NotFound));
    assert_eq!(desk.ok("listAccounts", json!({"owner": "Ida"})).as_array().map(Vec::len), Some(2));
    desk.ok("transferMoney", json!({"fromAccountId": "A-1", "toAccountId": "A-2", "amount": 30}));
    assert_eq!(desk.ok("getBalance", json!({"accountId": "A-1"})), json!(70.0));
    assert_eq!(desk.ok("getBalance", json!({"accountId": "A-2"})), json!(35.5));
    assert_eq!(
        desk.call("transferMoney", json!({"fromAccountId": "A-1", "toAccountId": "A-2", "amount": 71})),
        Err(ErrorKind::Conflict)
    );
    assert_eq!(
        desk.call("transferMoney", json!({"fromAccountId": "A-1", "toAccountId": "A-9", "amount": 1})),
        Err(ErrorKind::NotFound)
    );
    desk.ok("depositMoney", json!({"accountId": "A-1", "amount": 5}));
    desk.ok("withdrawMoney", json!({"accountId": "A-1", "amount": 75}));
    assert_eq!(
        desk.call("withdrawMoney", json!({"accountId": "A-1", "amount": 1})),
        Err(ErrorKind::Conflict)
    );
    desk.ok("freezeAccount", json!({"accountId": "A-2"}));
    assert_eq!(desk.ok("getAccount", json!({"accountId": "A-2"}))["status"], "frozen");
    let opened = desk.ok("openAccount", json!({"owner": "Cy"}));
    assert_eq!(desk.ok("getAccount", json!({"accountId": opened["accountId"]}))["owner"], "Cy");
}

#[test]
fn a_calendar_whose_members_are_named_in_the_call() {
    let mut desk = Desk::new(
        json!([
            function(
                "calendar.create_event",
                "Creates an event.",
                json!({"event_name": {"type": "string"},
                "event_start": {"type": "string"}, "duration": {"type": "integer"}}),
                &["event_name", "event_start"]
            ),
            function(
                "calendar.get_event_information_by_id",
                "Returns one field of an event.",
                json!({"event_id": {"type": "string"}, "field": {"type": "string"}}),
                &["event_id", "field"]
            ),
            function(
                "calendar.search_events",
                "Searches events.",
                json!({"query": {"type": "string"}}),
                &["query"]
            ),
            function(
                "calendar.update_event",
                "Updates one field of an event.",
                json!({"event_id": {"type": "string"},
                "field": {"type": "string"}, "new_value": {"type": "string"}}),
                &["event_id", "field", "new_value"]
            ),
            function(
                "calendar.delete_event",
                "Deletes an event.",
                json!({"event_id": {"type": "string"}}),
                &["event_id"]
            ),
        ]),
        json!({"calendar": [
            {"event_id": "00000013", "event_name": "sync up", "event_start": "2023-08-01 09:00:00", "duration": 90},
            {"event_id": "00000275", "event_name": "process review", "event_start": "2023-08-01 11:30:00", "duration": 30},
        ]}),
    );
    let got = desk
        .ok("calendar.get_event_information_by_id", json!({"event_id": "00000013", "field": "event_name"}));
    assert_eq!(got, json!({"event_name": "sync up"}));
    desk.ok(
        "calendar.update_event",
        json!({"event_id": "00000275", "field": "event_name", "new_value": "retro"}),
    );
    let found = desk.ok("calendar.search_events", json!({"query": "retro"}));
    assert_eq!(found[0]["event_id"], "00000275", "{found}");
    assert_eq!(
        desk.call(
            "calendar.update_event",
            json!({"event_id": "00000275", "field": "colour", "new_value": "x"})
        ),
        Err(ErrorKind::InvalidArgument)
    );
    desk.ok("calendar.create_event", json!({"event_name": "lunch", "event_start": "2023-08-02 12:00:00"}));
    assert_eq!(desk.state()["calendar"].as_array().map(Vec::len), Some(3));
    desk.ok("calendar.delete_event", json!({"event_id": "00000013"}));
    assert_eq!(desk.call("calendar.delete_event", json!({"event_id": "00000013"})), Err(ErrorKind::NotFound));
}

#[test]
fn files_by_their_path() {
    let path = json!({"path": {"type": "string", "description": "Path of the file"}});
    let mut desk = Desk::new(
        json!({"tools": [
            mcp("read_file", "Read the contents of a file", path.clone(), &["path"]),
            mcp("write_file", "Write a file, replacing what is there",
                json!({"path": {"type": "string"}, "content": {"type": "string"}}), &["path", "content"]),
            mcp("list_files", "List all files", json!({}), &[]),
            mcp("delete_file", "Delete a file", path, &["path"]),
        ]}),
        json!({"files": {"/etc/motd": "welcome", "/home/ann/todo.txt": "milk"}}),
    );
    assert_eq!(desk.ok("read_file", json!({"path": "/etc/motd"})), json!("welcome"));
    desk.ok("write_file", json!({"path": "/tmp/x-1", "content": "hello"}));
    assert_eq!(desk.ok("read_file", json!({"path": "/tmp/x-1"})), json!("hello"));
    assert_eq!(desk.ok("list_files", json!({})).as_array().map(Vec::len), Some(3));
    desk.ok("delete_file", json!({"path": "/etc/motd"}));
    assert_eq!(desk.call("read_file", json!({"path": "/etc/motd"})), Err(ErrorKind::NotFound));
}

#[test]
fn a_cart_inside_a_user() {
    let user = json!({"user_id": {"type": "string"}});
    let mut desk = Desk::new(
        json!([
            function(
                "add_to_cart",
                "Add a product to the user's cart.",
                json!({"user_id": {"type": "string"},
                "product_id": {"type": "string"}, "quantity": {"type": "integer", "default": 1}}),
                &["user_id", "product_id"]
            ),
            function("view_cart", "View the cart of a user.", user, &["user_id"]),
            function(
                "remove_from_cart",
                "Remove a product from the cart.",
                json!({"user_id": {"type": "string"}, "product_id": {"type": "string"}}),
                &["user_id", "product_id"]
            ),
        ]),
        json!({
            "users": {"u1": {"name": "Ann", "cart": [{"product_id": "p1", "quantity": 2}]}, "u2": {"name": "Bo", "cart": []}},
            "products": {"p1": {"name": "Tea", "price": 3}, "p2": {"name": "Mug", "price": 9}},
        }),
    );
    desk.ok("add_to_cart", json!({"user_id": "u1", "product_id": "p2"}));
    let cart = desk.ok("view_cart", json!({"user_id": "u1"}));
    assert_eq!(cart, json!([{"product_id": "p1", "quantity": 2}, {"product_id": "p2", "quantity": 1}]));
    assert_eq!(desk.call("view_cart", json!({"user_id": "u9"})), Err(ErrorKind::NotFound));
    desk.ok("remove_from_cart", json!({"user_id": "u1", "product_id": "p1"}));
    assert_eq!(desk.state()["users"]["u1"]["cart"], json!([{"product_id": "p2", "quantity": 1}]));
    assert_eq!(desk.state()["users"]["u2"]["cart"], json!([]));
}

#[test]
fn settings_of_a_house() {
    let mut desk = Desk::new(
        json!([
            function("getThermostat", "Get the thermostat's target temperature.", json!({}), &[]),
            function(
                "setTargetTemperature",
                "Set the target temperature.",
                json!({"target_temperature": {"type": "number"}}),
                &["target_temperature"]
            ),
            function("turnOnHeating", "Turn on the heating.", json!({}), &[]),
            function("turnOffHeating", "Turn off the heating.", json!({}), &[]),
            function("lockFrontDoor", "Lock the front door.", json!({}), &[]),
        ]),
        json!({"thermostat": {"target_temperature": 19.5, "heating": "off"}, "front_door": "unlocked"}),
    );
    desk.ok("setTargetTemperature", json!({"target_temperature": 21}));
    desk.ok("turnOnHeating", json!({}));
    assert_eq!(desk.state()["thermostat"], json!({"target_temperature": 21, "heating": "on"}));
    desk.ok("turnOffHeating", json!({}));
    assert_eq!(desk.state()["thermostat"]["heating"], "off");
    desk.ok("lockFrontDoor", json!({}));
    assert_eq!(desk.state()["front_door"], "locked");
}

#[test]
fn logins_and_what_needs_them() {
    let login = json!({"username": {"type": "string"}, "password": {"type": "string"}});
    let mut desk = Desk::new(
        json!([
            function("signIn", "Sign in a user.", login, &["username", "password"]),
            function(
                "postMessage",
                "Post a message to the board as the current user.",
                json!({"text": {"type": "string"}}),
                &["text"]
            ),
            function("listMessages", "List all messages of the board.", json!({}), &[]),
            function("signOut", "Sign out.", json!({}), &[]),
        ]),
        json!({
            "current_user": null,
            "users": {"ann": {"password": "pw1"}, "bo": {"password": "pw2"}},
            "messages": [{"id": 1, "author": "bo", "text": "hello"}],
        }),
    );
    assert_eq!(desk.call("postMessage", json!({"text": "hi"})), Err(ErrorKind::Unauthenticated));
    assert_eq!(
        desk.call("signIn", json!({"username": "ann", "password": "pw2"})),
        Err(ErrorKind::PermissionDenied)
    );
    assert_eq!(desk.call("signIn", json!({"username": "cy", "password": "pw2"})), Err(ErrorKind::NotFound));
    desk.ok("signIn", json!({"username": "ann", "password": "pw1"}));
    desk.ok("postMessage", json!({"text": "hi"}));
    let rows = desk.ok("listMessages", json!({}));
    assert_eq!(rows[1], json!({"id": 2, "text": "hi", "author": "ann"}), "{rows}");
    desk.ok("signOut", json!({}));
    assert_eq!(desk.call("postMessage", json!({"text": "hi"})), Err(ErrorKind::Unauthenticated));
}

#[test]
fn stages_of_life_are_respected() {
    let id = json!({"ticket_no": {"type": "integer"}});
    let mut desk = Desk::new(
        json!([
            function("approve_open_request", "Approve an open request.", id.clone(), &["ticket_no"]),
            function(
                "withdraw_request",
                "Withdraw a request. Only open requests can be withdrawn.",
                id.clone(),
                &["ticket_no"]
            ),
            function("archiveRequest", "Archive a request.", id, &["ticket_no"]),
        ]),
        json!({"requests": [
            {"ticket_no": 1, "status": "Open", "archived": false},
            {"ticket_no": 2, "status": "Approved", "archived": false},
            {"ticket_no": 3, "status": "Open", "archived": true},
        ]}),
    );
    desk.ok("approve_open_request", json!({"ticket_no": 1}));
    assert_eq!(desk.state()["requests"][0]["status"], "Approved");
    assert_eq!(desk.call("approve_open_request", json!({"ticket_no": 2})), Err(ErrorKind::Conflict));
    assert_eq!(desk.call("approve_open_request", json!({"ticket_no": 9})), Err(ErrorKind::NotFound));
    desk.ok("archiveRequest", json!({"ticket_no": 2}));
    assert_eq!(desk.state()["requests"][1]["archived"], true);
}

#[test]
fn sums_and_units() {
    let two = json!({"a": {"type": "number"}, "b": {"type": "number"}});
    let mut desk = Desk::new(
        json!([
            function("divide_numbers", "Divide one number by another.", two, &["a", "b"]),
            function(
                "calculate_average",
                "Average of numbers.",
                json!({"numbers": {"type": "array", "items": {"type": "number"}}}),
                &["numbers"]
            ),
            function(
                "evaluate_expression",
                "Evaluates an arithmetic expression.",
                json!({"expression": {"type": "string"}}),
                &["expression"]
            ),
            function(
                "miles_to_kilometers",
                "Converts miles.",
                json!({"miles": {"type": "number"}}),
                &["miles"]
            ),
        ]),
        json!({}),
    );
    assert_eq!(desk.ok("divide_numbers", json!({"a": 7, "b": 2}))["result"], 3.5);
    assert_eq!(desk.call("divide_numbers", json!({"a": 7, "b": 0})), Err(ErrorKind::InvalidArgument));
    assert_eq!(desk.ok("calculate_average", json!({"numbers": [1, 2, 6]}))["result"], 3);
    assert_eq!(desk.call("calculate_average", json!({"numbers": []})), Err(ErrorKind::InvalidArgument));
    assert_eq!(desk.ok("evaluate_expression", json!({"expression": "(1 + 2) * 4"})), json!("12"));
    let km = desk.ok("miles_to_kilometers", json!({"miles": 10}))["result"].as_f64().unwrap_or(0.0);
    assert!((km - 16.09344).abs() < 1e-6);
}

#[test]
fn what_rules_cannot_read_says_so() {
    let desk = Desk::new(
        json!([function(
            "forecast",
            "Predicts the weather.",
            json!({"place": {"type": "string"}}),
            &["place"]
        )]),
        json!({"notes": [{"id": 1, "text": "x"}]}),
    );
    assert_eq!(desk.rungs["forecast"], Rung::Direct);
}

#[test]
fn a_tree_of_directories() {
    let name = |what: &str| json!({what: {"type": "string"}});
    let mut desk = Desk::new(
        json!([
            function("ls", "List the current directory.", json!({}), &[]),
            function("cd", "Change the directory.", name("folder"), &["folder"]),
            function("pwd", "Print the working directory.", json!({}), &[]),
            function("read_file", "Read a file.", name("path"), &["path"]),
            function(
                "write_file",
                "Write a file.",
                json!({"path": {"type": "string"}, "content": {"type": "string"}}),
                &["path", "content"]
            ),
            function("make_directory", "Make a directory.", name("path"), &["path"]),
            function(
                "move_file",
                "Move a file.",
                json!({"source": {"type": "string"}, "destination": {"type": "string"}}),
                &["source", "destination"]
            ),
            function("delete_file", "Delete a file.", name("path"), &["path"]),
            function("find_files", "Find files by name.", name("name"), &["name"]),
        ]),
        json!({"disk": {
            "root": {"home": {"type": "dir", "children": {
                "plan.md": {"type": "file", "text": "b\na"},
                "old": {"type": "dir", "children": {"plan.bak": {"type": "file", "text": "x"}}},
            }}},
            "cwd": "home",
        }}),
    );
    assert_eq!(desk.ok("ls", json!({})), json!(["plan.md", "old"]));
    assert_eq!(desk.ok("read_file", json!({"path": "plan.md"})), json!("b\na"));
    assert_eq!(desk.ok("find_files", json!({"name": "plan"})), json!(["./plan.md", "./old/plan.bak"]));
    assert_eq!(desk.call("cd", json!({"folder": "new"})), Err(ErrorKind::NotFound));
    desk.ok("make_directory", json!({"path": "new"}));
    assert_eq!(desk.call("make_directory", json!({"path": "new"})), Err(ErrorKind::Conflict));
    desk.ok("move_file", json!({"source": "plan.md", "destination": "new"}));
    assert_eq!(desk.call("read_file", json!({"path": "plan.md"})), Err(ErrorKind::NotFound));
    desk.ok("cd", json!({"folder": "new"}));
    assert_eq!(desk.ok("pwd", json!({})), json!("/home/new"));
    desk.ok("write_file", json!({"path": "note", "content": "hi"}));
    assert_eq!(desk.ok("ls", json!({})), json!(["plan.md", "note"]));
    assert_eq!(desk.ok("read_file", json!({"path": "/home/new/note"})), json!("hi"));
    desk.ok("delete_file", json!({"path": "note"}));
    desk.ok("cd", json!({"folder": ".."}));
    assert_eq!(desk.ok("ls", json!({})), json!(["old", "new"]));
    assert_eq!(
        desk.state()["disk"]["root"]["home"]["children"]["new"],
        json!({"type": "dir", "children": {"plan.md": {"type": "file", "text": "b\na"}}})
    );
}

#[test]
fn the_latest_of_several_and_prices_by_day() {
    let mut desk = Desk::new(
        json!([
            function("get_latest_invoice", "Get the most recent invoice.", json!({}), &[]),
            function(
                "get_quote",
                "Get the quote of a fund on a day.",
                json!({"fund": {"type": "string"}, "day": {"type": "string"}}),
                &["fund", "day"]
            ),
        ]),
        json!({
            "invoices": [
                {"invoice_id": "a", "date": "2024-05-01", "total": 4},
                {"invoice_id": "b", "date": "2024-07-01", "total": 5},
                {"invoice_id": "c", "date": "2024-06-01", "total": 6},
            ],
            "quotes": {"ABC": {"2024-05-01": 10.5, "2024-05-02": 11}, "DEF": {"2024-05-01": 7}},
        }),
    );
    assert_eq!(desk.ok("get_latest_invoice", json!({}))["invoice_id"], "b");
    assert_eq!(desk.ok("get_quote", json!({"fund": "ABC", "day": "2024-05-02"})), json!(11));
    assert_eq!(desk.call("get_quote", json!({"fund": "ABC", "day": "2023-01-01"})), Err(ErrorKind::NotFound));
}
