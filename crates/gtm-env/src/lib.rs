//! Environments: a toolset with tasks, whose goals code can check and pay for.
//!
//! An [`Environment`] holds tasks. A [`Task`] says what is asked, where the session starts, what it may
//! use, and a [`Goal`]: a list of checks over the final state, the calls made and the answer given. An
//! [`Episode`] is one attempt: it looks at a [`gtm_sim::Session`] from outside and says what the attempt
//! is worth and why ([`Score`]).
//!
//! Invariants:
//! - **The simulator never sees a goal.** A session is opened from [`TaskRef::opening`], which has state,
//!   seed, faults and tools and nothing else; `gtm-sim` does not know this crate. Whatever the goal is, the
//!   replies are the same to the byte.
//! - Scores are functions of the session and the answer: the same attempt is always worth the same.
//! - Checks are as bounded as calls: expressions spend from a budget, and comparisons report at most
//!   a few differences.

mod answer;
mod calls;
mod end_state;
mod environment;
mod episode;
mod file;
mod goal;
mod import;
mod load;
mod pattern;
mod prepared;
mod score;
mod trial;

pub use environment::{Environment, TaskRef};
pub use episode::{End, Episode, Step};
pub use file::{Dialect, EnvironmentFile, Task, TaskLimits};
pub use goal::{Answer, CallPattern, Check, EndState, Ends, Goal, RewardKind, Times};
pub use import::{Source, read_tasks};
pub use load::{is_environment, load};
pub use score::{CheckScore, Score};
pub use trial::Trial;
