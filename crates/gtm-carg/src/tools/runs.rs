//! Simulators: runs that are set up, steered, moved on in time and read.

use super::{Effect, Family, Param, ParamRole, Plan, Reply, spaced, words};
use crate::domain::Domain;
use crate::pack::{Attribute, Kind, Range, Simulator};
use crate::process::Naming;
use crate::text::Role;
use gtm_world::ErrorKind;
use gtm_world::behavior::{Create, Get, Op, Step, Update};
use serde_json::{Map as JsonMap, Value as Json, json};

/// Collection that holds the runs of a simulator: its name with this ending.
pub const RUNS: &str = "_runs";
/// Most steps in one call.
const MAX_STEPS: f64 = 240.0;

pub(super) fn add(domain: &Domain, plans: &mut Vec<Plan>) {
    for (name, simulator) in &domain.pack.simulators {
        let runs = Runs { name, simulator, collection: format!("{name}{RUNS}") };
        plans.extend([
            runs.start(),
            runs.advance(),
            runs.read(),
            runs.steer(),
            runs.stop(),
            runs.all(),
            runs.forecast(),
            runs.course(),
        ]);
    }
}

struct Runs<'p> {
    name: &'p str,
    simulator: &'p Simulator,
    collection: String,
}

impl Runs<'_> {
    fn plan(&self, key: &str, verb: &str, tail: &str, about: String) -> Plan {
        Plan {
            key: format!("{key} {}", self.name),
            family: Family::Simulator,
            verb: verb.into(),
            object: [words(self.name), words(tail)].concat(),
            about,
            params: vec![self.run_param()],
            steps: vec![self.get()],
            reply: Reply::Value(Json::Null),
            by: Vec::new(),
            effect: Effect::Update,
        }
    }

    /// Ids of runs are whole numbers; they are not entities of the pack.
    fn run_param(&self) -> Param {
        let attribute = Attribute {
            kind: Kind::Int(Range { low: 1.0, high: 9.0, decimals: Some(0), absolute: false }),
            ..Attribute::default()
        };
        Param::new("run", attribute, true, ParamRole::Id(self.collection.clone()))
    }

    fn get(&self) -> Step {
        Op::Get(Get {
            within: Some(self.collection.clone()),
            id: Some("args.run".into()),
            message: Some("There is no run {args.run}".into()),
            ..Get::default()
        })
        .into()
    }

    fn naming(&self) -> Naming<'static> {
        Naming { member: &str::to_owned, fixed: "p", time: "t" }
    }

    /// Parameters and controls of a run, as the steps know them: `p`.
    fn fixed(&self, of: &str) -> Json {
        let names = self.simulator.parameters.keys().chain(self.simulator.controls.keys());
        Json::Object(names.map(|name| (name.clone(), json!(format!("{of}.{name}")))).collect())
    }

    fn state(&self, of: &str) -> Json {
        let names = self.simulator.state.keys().map(String::as_str).chain(["t"]);
        Json::Object(names.map(|name| (name.to_owned(), json!(format!("{of}.{name}")))).collect())
    }

    /// What a reading shows, over the state `s` and the rest `p`.
    fn reading(&self) -> JsonMap<String, Json> {
        let mut reading = JsonMap::from_iter([("time".to_owned(), json!("round(s.t, 6)"))]);
        for name in self.simulator.state.keys() {
            reading.insert(name.clone(), json!(format!("round(s.{name}, 6)")));
        }
        for (name, text) in &self.simulator.outputs {
            reading.insert(name.clone(), json!(self.naming().reading(self.simulator, text, "s")));
        }
        if !self.simulator.alarms.is_empty() {
            let alarms: Vec<String> = self
                .simulator
                .alarms
                .iter()
                .map(|(name, text)| {
                    format!("({}) ? ['{name}'] : []", self.naming().reading(self.simulator, text, "s"))
                })
                .collect();
            reading.insert("alarms".into(), json!(format!("({})", alarms.join(") + ("))));
        }
        reading
    }

    fn bind(&self, s: Json) -> Step {
        let mut names = JsonMap::new();
        names.insert("p".into(), self.fixed("it"));
        names.insert("s".into(), s);
        Op::Let(names).into()
    }

    fn arguments(&self, attributes: &indexmap::IndexMap<String, Attribute>) -> Vec<Param> {
        attributes
            .iter()
            .map(|(name, attribute)| {
                Param::new(name, attribute.clone(), attribute.default.is_none(), ParamRole::Other)
            })
            .collect()
    }

    fn start(&self) -> Plan {
        let s = self.simulator;
        let mut set = JsonMap::new();
        for (name, attribute) in s.parameters.iter().chain(&s.controls).chain(&s.state) {
            let value = match &attribute.default {
                Some(default) => {
                    // A default may follow from parameters.
                    let default = crate::text::rename(default, |n| {
                        (n.role == Role::Variable && s.parameters.contains_key(n.text))
                            .then(|| format!("start.{}", n.text))
                    });
                    format!("default(args.{name}, {default})")
                }
                None => format!("args.{name}"),
            };
            set.insert(name.clone(), json!(value));
        }
        let mut first = JsonMap::new();
        for name in s.parameters.keys() {
            first.insert(name.clone(), set[name].clone());
        }
        set.insert("t".into(), json!(0.0));
        let params =
            [self.arguments(&s.parameters), self.arguments(&s.controls), self.arguments(&s.state)].concat();
        let mut names = JsonMap::new();
        names.insert("start".into(), Json::Object(first));
        Plan {
            params,
            steps: vec![
                Op::Let(names).into(),
                Op::Create(Create { within: self.collection.clone(), set, ..Create::default() }).into(),
                Op::Let(JsonMap::from_iter([
                    ("p".to_owned(), self.fixed("it")),
                    ("s".to_owned(), self.state("it")),
                ]))
                .into(),
            ],
            reply: Reply::Value(Json::Object(
                [JsonMap::from_iter([("run".to_owned(), json!("it.id"))]), self.reading()]
                    .into_iter()
                    .flatten()
                    .collect(),
            )),
            effect: Effect::Create,
            ..self.plan("start", "start", "run", format!("Sets up a run. {}", s.about))
        }
    }

    fn steps_param(&self) -> Param {
        let range = Range { low: 1.0, high: MAX_STEPS, decimals: Some(0), absolute: false };
        let doc = format!("number of steps of {} {}", self.simulator.dt.step, self.simulator.dt.unit);
        Param::new(
            "steps",
            Attribute { kind: Kind::Int(range), doc, ..Attribute::default() },
            true,
            ParamRole::Other,
        )
    }

    fn course_expression(&self, from: &str, steps: &str) -> String {
        format!("range({steps}).reduce(s, i, {from}, {})", self.naming().step(self.simulator))
    }

    fn advance(&self) -> Plan {
        let mut update = Update {
            within: Some(self.collection.clone()),
            id: Some("args.run".into()),
            ..Update::default()
        };
        for name in self.simulator.state.keys().map(String::as_str).chain(["t"]) {
            update.set.insert(name.to_owned(), json!(format!("s.{name}")));
        }
        Plan {
            params: vec![self.run_param(), self.steps_param()],
            steps: vec![
                self.get(),
                self.bind(self.state("it")),
                super::step::bind("s", self.course_expression("s", "args.steps")),
                Op::Update(update).into(),
            ],
            reply: Reply::Value(Json::Object(self.reading())),
            ..self.plan(
                "advance",
                "advance",
                "run",
                format!(
                    "Moves a run of the {} on in time and returns the reading at the end.",
                    spaced(self.name)
                ),
            )
        }
    }

    fn read(&self) -> Plan {
        Plan {
            steps: vec![self.get(), self.bind(self.state("it"))],
            reply: Reply::Value(Json::Object(self.reading())),
            effect: Effect::Read,
            ..self.plan(
                "read",
                "read",
                "run",
                format!("Returns the present reading of a run of the {}.", spaced(self.name)),
            )
        }
    }

    fn steer(&self) -> Plan {
        let controls = &self.simulator.controls;
        let mut params = vec![self.run_param()];
        params.extend(controls.iter().map(|(name, attribute)| {
            Param::new(name, Attribute { default: None, ..attribute.clone() }, false, ParamRole::Other)
        }));
        let changes: Vec<String> = controls.keys().map(|name| format!("'{name}': args.{name}")).collect();
        let update = Update {
            within: Some(self.collection.clone()),
            id: Some("args.run".into()),
            merge: Some(format!("{{{}}}", changes.join(", "))),
            ..Update::default()
        };
        let shown = controls.keys().map(|name| (name.clone(), json!(format!("it.{name}"))));
        Plan {
            params,
            steps: vec![self.get(), Op::Update(update).into()],
            reply: Reply::Value(Json::Object(
                [("run".to_owned(), json!("it.id"))].into_iter().chain(shown).collect(),
            )),
            ..self.plan(
                "steer",
                "set",
                "controls",
                format!("Sets controls of a run of the {}; what is not given stays.", spaced(self.name)),
            )
        }
    }

    fn stop(&self) -> Plan {
        let delete = gtm_world::behavior::Delete {
            within: Some(self.collection.clone()),
            id: Some("args.run".into()),
            message: Some("There is no run {args.run}".into()),
            ..Default::default()
        };
        Plan {
            steps: vec![Op::Delete(delete).into()],
            reply: Reply::Value(json!({"stopped": "args.run", "time": "it.t"})),
            effect: Effect::Delete,
            ..self.plan(
                "stop",
                "stop",
                "run",
                format!("Ends a run of the {} and forgets it.", spaced(self.name)),
            )
        }
    }

    fn all(&self) -> Plan {
        let collection = &self.collection;
        Plan {
            params: Vec::new(),
            steps: Vec::new(),
            reply: Reply::Value(
                json!({"$bare": format!("{collection}.map(k, {{'run': {collection}[k].id, 'time': round({collection}[k].t, 6)}})")}),
            ),
            effect: Effect::Read,
            ..self.plan(
                "list",
                "list",
                "runs",
                format!("Lists the runs of the {} and how far they are.", spaced(self.name)),
            )
        }
    }

    /// What would be, without moving the run on.
    fn forecast(&self) -> Plan {
        Plan {
            params: vec![self.run_param(), self.steps_param()],
            steps: vec![
                self.get(),
                self.bind(self.state("it")),
                super::step::bind("s", self.course_expression("s", "args.steps")),
            ],
            reply: Reply::Value(Json::Object(self.reading())),
            effect: Effect::Read,
            ..self.plan(
                "forecast",
                "forecast",
                "run",
                format!(
                    "Tells where a run of the {} would be after some steps, without moving it on.",
                    spaced(self.name)
                ),
            )
        }
    }

    /// A whole course in one call, without a run.
    fn course(&self) -> Plan {
        let s = self.simulator;
        let mut params =
            [self.arguments(&s.parameters), self.arguments(&s.controls), self.arguments(&s.state)].concat();
        params.push(self.steps_param());
        let mut start = self.start();
        let Some(Step { op: Op::Create(create), .. }) = start.steps.get(1).cloned() else { return start };
        let run: JsonMap<String, Json> = create.set.into_iter().collect();
        start.steps.truncate(1);
        start.steps.push(super::step::bind("it", Json::Object(run)));
        start.steps.push(
            Op::Let(JsonMap::from_iter([
                ("p".to_owned(), self.fixed("it")),
                ("s".to_owned(), self.state("it")),
            ]))
            .into(),
        );
        start.steps.push(super::step::require(
            "args.steps >= 1",
            ErrorKind::InvalidArgument,
            "At least one step is needed",
        ));
        start.steps.push(super::step::bind("s", self.course_expression("s", "args.steps")));
        Plan {
            params,
            steps: start.steps,
            reply: Reply::Value(Json::Object(self.reading())),
            effect: Effect::Read,
            ..self.plan(
                "simulate",
                "simulate",
                "",
                format!(
                    "Runs the {} from the start for some steps and returns the last reading. {}",
                    spaced(self.name),
                    s.about
                ),
            )
        }
    }
}
