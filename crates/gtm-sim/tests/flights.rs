//! The flight desk of `examples/flights.yaml`, call by call.

use gtm_sim::{Call, Reply, Rung, Session, SessionOptions, Simulator, Toolset};
use gtm_world::ErrorKind;
use serde_json::{Value as Json, json};
use std::path::Path;

fn desk() -> Simulator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flights.yaml");
    Simulator::new(Toolset::load(&path).unwrap()).unwrap()
}

fn call(desk: &Simulator, session: &mut Session, tool: &str, args: Json) -> Reply {
    desk.call(session, &Call::new(tool, args))
}

#[test]
fn a_booking_is_seen_by_every_later_call() {
    let desk = desk();
    let mut s = desk.open(SessionOptions::default()).unwrap();
    let found = call(&desk, &mut s, "search_flights", json!({"from": "ZRH", "to": "LIS"}));
    assert_eq!(found.content["total"], 2, "{found:?}");
    assert_eq!(found.content["flights"][0]["id"], "TP933");
    assert!((5..=40).contains(&found.delay_ms) && found.provenance.fault.as_deref() == Some("slow search"));

    let booked = call(
        &desk,
        &mut s,
        "book_flight",
        json!({"flight_id": "LX2084", "passengers": ["A", "B"], "member": "M100"}),
    );
    assert!(!booked.is_error, "{booked:?}");
    assert_eq!((booked.provenance.rung, booked.provenance.valid), (Rung::User, true));
    assert_eq!(booked.content["total"], 378.0);
    assert_eq!(booked.provenance.invented, ["/gate"]);
    let id = booked.content["booking_id"].as_str().unwrap().to_owned();

    let flight = call(&desk, &mut s, "get_flight", json!({"flight_id": "LX2084"}));
    assert_eq!(flight.content["seats"], 1);
    let member = call(&desk, &mut s, "get_member", json!({"member": "M100"}));
    assert_eq!(
        member.content,
        json!({"member": "M100", "name": "Ada Kern", "points": 3090, "bookings": 1, "spent": 378.0})
    );

    let full = call(&desk, &mut s, "book_flight", json!({"flight_id": "LX2084", "passengers": ["C", "D"]}));
    assert_eq!(full.error.as_ref().unwrap().kind, ErrorKind::Conflict);
    assert_eq!(
        full.content,
        json!({"error": {"type": "conflict", "message": "Only 1 seats left on LX2084", "argument": ""}})
    );

    let moved = call(&desk, &mut s, "change_booking", json!({"booking_id": id, "flight_id": "TP933"}));
    assert_eq!(moved.content["total"], 299.0, "{moved:?}");
    let cancelled = call(&desk, &mut s, "cancel_booking", json!({"booking_id": id}));
    assert_eq!(cancelled.content["refund"], 299.0);
    let lost = call(&desk, &mut s, "get_booking", json!({"booking_id": id}));
    assert_eq!((lost.error.unwrap().kind, lost.status), (ErrorKind::NotFound, 404));
    assert_eq!(s.state().to_json()["bookings"], json!({}));
    assert_eq!(s.state().to_json()["flights"], json!(desk.toolset().state)["flights"]);
    assert_eq!(s.turns(), 8);
}

#[test]
fn a_fault_fails_the_call_and_changes_nothing_unless_it_commits() {
    let desk = desk();
    let mut s = desk.open(SessionOptions::default()).unwrap();
    let book = json!({"flight_id": "TP933", "passengers": ["A"]});
    let ids: Vec<Json> = (0..3)
        .map(|_| call(&desk, &mut s, "book_flight", book.clone()))
        .filter(|r| !r.is_error)
        .map(|r| r.content["booking_id"].clone())
        .collect();
    assert_eq!(ids.len(), 2, "the second of three fails");
    assert_eq!(s.state().to_json()["flights"]["TP933"]["seats"], 38);
    let failed = s.turn(1).unwrap().reply;
    assert_eq!((failed.status, failed.retry_after_s, failed.provenance.rung), (503, Some(2), Rung::Fault));
    assert_eq!(failed.state_version, failed.provenance.state_version);

    let extra = call(&desk, &mut s, "book_flight", book).content["booking_id"].clone();
    call(&desk, &mut s, "cancel_booking", json!({"booking_id": ids[0]}));
    call(&desk, &mut s, "cancel_booking", json!({"booking_id": ids[1]}));
    let lost = call(&desk, &mut s, "cancel_booking", json!({"booking_id": extra}));
    assert_eq!(lost.error.unwrap().kind, ErrorKind::Timeout);
    assert_eq!(s.state().to_json()["bookings"], json!({}), "the third cancellation took effect all the same");
}

#[test]
fn arguments_are_checked_first_and_the_session_goes_on() {
    let desk = desk();
    let mut s = desk.open(SessionOptions::default()).unwrap();
    for (tool, args, kind, message) in [
        ("get_flight", json!({}), ErrorKind::InvalidArgument, "missing required argument \"flight_id\""),
        (
            "get_flight",
            json!({"flight_id": "LX318", "x": 1}),
            ErrorKind::InvalidArgument,
            "unexpected argument \"x\"",
        ),
        ("get_fligt", json!({}), ErrorKind::UnknownTool, "unknown tool \"get_fligt\""),
        ("get_flight", json!({"flight_id": "ZZ1"}), ErrorKind::NotFound, "No flight ZZ1"),
    ] {
        let reply = call(&desk, &mut s, tool, args);
        let error = reply.error.unwrap();
        assert_eq!((error.kind, error.message.as_str()), (kind, message));
        assert_eq!(reply.content["error"]["message"], message);
    }
    assert_eq!(s.version(), 0);
    assert!(!call(&desk, &mut s, "get_flight", json!({"flight_id": "LX318"})).is_error);
    assert_eq!(desk.metrics().snapshot().calls, 5);
    assert_eq!(desk.metrics().snapshot().errors["invalid_argument"], 2);
}

#[test]
fn the_toolset_survives_being_written_and_read() {
    let desk = desk();
    let yaml = desk.toolset().to_yaml().unwrap();
    let again = Toolset::parse(&yaml, Path::new("")).unwrap();
    assert_eq!(Toolset { specs: Vec::new(), ..desk.toolset().clone() }, again);
}
