//! Attempts at the tasks of the example.

mod support;

use gtm_env::{End, Episode, TaskRef};
use gtm_error::Code;
use gtm_sim::{Call, Session};
use serde_json::{Value, json};
use support::{make, travel};

/// A session of a task, and the attempt that it is.
struct Attempt {
    task: TaskRef,
    session: Session,
    episode: Episode,
}

impl Attempt {
    fn at(id: &str) -> Attempt {
        let task = travel().task(id).expect("a task of the example");
        let session = task.simulator().open(task.opening()).expect("it opens");
        Attempt { episode: task.attempt(), session, task }
    }

    /// Makes a call; gives its content and what it paid.
    fn call(&mut self, tool: &str, arguments: Value) -> (Value, f64) {
        let reply = self.task.simulator().call(&mut self.session, &Call::new(tool, arguments));
        (reply.content, self.episode.step(&self.session).reward.expect("there is a goal"))
    }
}

#[test]
fn the_reward_comes_with_the_step_that_reaches_the_goal() {
    let mut attempt = Attempt::at("cheapest");
    let (found, paid) = attempt.call("search_flights", json!({"from": "ZRH", "to": "LIS"}));
    assert_eq!((found["flights"][0]["id"].as_str(), paid), (Some("TP933"), 0.0), "{found}");
    assert_eq!(attempt.episode.over(), None);
    let (booked, paid) =
        attempt.call("book_flight", json!({"flight_id": "TP933", "passengers": ["Noa Frei"]}));
    assert_eq!((booked["status"].as_str(), paid), (Some("confirmed"), 1.0), "{booked}");
    assert_eq!(attempt.episode.over(), Some(End::Goal));
    let score = attempt.episode.score(&attempt.session).expect("a goal");
    assert!(score.success && score.checks.iter().all(|check| check.holds), "{score:?}");
    assert!(score.checks[2].held_at_start);
}

#[test]
fn the_wrong_flight_pays_nothing_and_the_score_says_why() {
    let mut attempt = Attempt::at("cheapest");
    attempt.call("book_flight", json!({"flight_id": "LX2084", "passengers": ["Noa Frei"]}));
    let score = attempt.episode.score(&attempt.session).expect("a goal");
    assert_eq!((score.reward, score.success), (0.0, false));
    assert_eq!(score.checks[0].why, "it is not true");
    assert_eq!(score.checks[0].name, "Noa flies on TP933");
}

#[test]
fn a_forbidden_call_cannot_be_made_good_even_if_it_failed() {
    let mut attempt = Attempt::at("cheapest");
    attempt.call("cancel_booking", json!({"booking_id": "BK-999999"}));
    let (_, paid) = attempt.call("book_flight", json!({"flight_id": "TP933", "passengers": ["Noa Frei"]}));
    assert_eq!(paid, 0.0);
    let score = attempt.episode.score(&attempt.session).expect("a goal");
    assert_eq!(score.checks[2].why, "one such call was made");
}

#[test]
fn a_shaped_reward_grows_with_what_is_achieved() {
    let mut attempt = Attempt::at("member");
    assert!(attempt.task.wants_answer());
    // Other seats, then back: ids and times differ from those of the reference, and that is free.
    attempt.call("book_flight", json!({"flight_id": "LX318", "passengers": ["Ada Kern"], "member": "M100"}));
    let (_, paid) = attempt.call("get_member", json!({"member": "M100"}));
    assert_eq!(paid, 0.25);
    let score = attempt.episode.score(&attempt.session).expect("a goal");
    assert!(score.checks[0].why.contains("/flights/LX318/seats is 11, not 10"), "{score:?}");

    let mut attempt = Attempt::at("member");
    attempt.call("search_flights", json!({"from": "ZRH"}));
    let passengers = json!({"flight_id": "LX318", "passengers": ["Ada Kern", "Tim Kern"], "member": "M100"});
    let (_, paid) = attempt.call("book_flight", passengers);
    assert_eq!(paid, 0.5);
    let (member, paid) = attempt.call("get_member", json!({"member": "M100"}));
    assert_eq!((&member["points"], paid), (&json!(2490), 0.25), "{member}");
    assert_eq!(attempt.episode.over(), None);
    attempt.episode.submit("She now has 2,490 points.");
    let step = attempt.episode.step(&attempt.session);
    assert_eq!((step.reward, step.done), (Some(0.25), Some(End::Answer)));
}

#[test]
fn only_the_tools_of_the_task_are_there() {
    let mut attempt = Attempt::at("move");
    let (refused, _) = attempt.call("book_flight", json!({"flight_id": "TP933", "passengers": ["X"]}));
    assert!(refused.to_string().contains("unknown tool"), "{refused}");
    let (_, paid) = attempt.call("change_booking", json!({"booking_id": "BK-000100", "flight_id": "TP933"}));
    assert_eq!(paid, 1.0);
}

#[test]
fn answers_count_once_and_only_the_first() {
    let mut attempt = Attempt::at("capacity");
    attempt.episode.submit("ba709");
    assert_eq!(attempt.episode.step(&attempt.session).reward, Some(1.0));
    attempt.episode.submit("LX318");
    assert_eq!(attempt.episode.over(), Some(End::Answer));
}

#[test]
fn the_last_call_that_is_allowed_ends_the_attempt() {
    let mut attempt = Attempt::at("cheapest");
    for n in 1..=12 {
        attempt.call("get_flight", json!({"flight_id": "LX318"}));
        assert_eq!(attempt.episode.over().is_some(), n == 12);
    }
    assert_eq!(attempt.episode.over(), Some(End::Calls));
}

#[test]
fn going_back_goes_on() {
    let mut attempt = Attempt::at("cheapest");
    attempt.call("book_flight", json!({"flight_id": "TP933", "passengers": ["Noa Frei"]}));
    attempt.session.rollback(&0.into()).expect("the start");
    attempt.episode.reopen();
    let (_, paid) = attempt.call("get_flight", json!({"flight_id": "LX318"}));
    // What was paid for the state that is gone is taken back: all steps together are worth the score.
    assert_eq!((paid, attempt.episode.over()), (-1.0, None));
}

#[test]
fn the_example_is_sound() {
    for task in travel().tasks() {
        let trial = task.try_out().expect("it can be tried");
        assert!(trial.is_sound() && trial.reference.is_some() && trial.failed.is_empty(), "{trial:#?}");
    }
}

#[test]
fn splits_and_defaults() {
    let travel = travel();
    assert_eq!(travel.splits(), ["train", "test"]);
    let ids: Vec<String> = travel.in_split("test").map(|task| task.id().to_owned()).collect();
    assert_eq!(ids, ["move", "capacity"]);
    assert_eq!(travel.task("nothing").expect_err("no such task").code(), Code::TaskUnknown);
    assert_eq!(travel.task("cheapest").expect("it").limits().calls, Some(12));
}

/// Mistakes are told with their place.
#[test]
fn mistakes_have_a_place() {
    let wrong = |tasks: Value| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("wrong.yaml");
        let toolset = json!({"tools": [{"name": "t", "parameters": {"type": "object"}}], "state": {"a": 1}});
        let file = json!({"toolset": toolset, "tasks": tasks}).to_string();
        std::fs::write(&path, file).expect("written");
        let error = gtm_env::load(&path, &make).expect_err("a mistake");
        let place = error.place().unwrap_or_default().rsplit_once('#').map(|(_, place)| place.to_owned());
        (error.code(), place.unwrap_or_default())
    };
    let goal = |check: Value| json!([{"instruction": "x", "goal": {"checks": [check]}}]);
    let invalid = Code::EnvironmentInvalid;
    assert_eq!(wrong(goal(json!({}))), (invalid, "/tasks/0/goal/checks/0".into()));
    assert_eq!(
        wrong(goal(json!({"that": "a == 1", "at": "/a"}))),
        (invalid, "/tasks/0/goal/checks/0".into())
    );
    assert_eq!(wrong(goal(json!({"at": "a"}))), (invalid, "/tasks/0/goal/checks/0/at".into()));
    let unknown = json!({"called": {"tool": "nothing"}});
    assert_eq!(wrong(goal(unknown)), (invalid, "/tasks/0/goal/checks/0/called/tool".into()));
    assert_eq!(wrong(goal(json!({"thatt": "x"}))), (invalid, "/tasks/0/goal/checks/0/thatt".into()));
    let (code, place) = wrong(goal(json!({"that": "a =="})));
    assert_eq!(code, Code::ExpressionInvalid);
    assert!(place.starts_with("/tasks/0/goal/checks/0/that: column"), "{place}");
    assert_eq!(wrong(json!([{"instruction": "x", "tools": ["nothing"]}])).0, Code::ToolsetInvalid);
    let twice = json!([{"id": "a", "instruction": "x"}, {"id": "a", "instruction": "y"}]);
    assert_eq!(wrong(twice), (invalid, "/tasks/1".into()));
}
