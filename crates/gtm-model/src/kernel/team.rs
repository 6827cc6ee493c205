//! A few threads that take part in every step, awake between the parts of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// How often a thread looks for work before it goes to sleep: some tens of microseconds, the gap
/// between two products of one step.
const SPINS: usize = 4_000;

/// Work lent to the helpers for the time of one [`Team::run`].
#[derive(Clone, Copy)]
struct Work(*const (dyn Fn(usize) + Sync));

// SAFETY: the pointee is `Sync`, and `Team::run` keeps it alive until every helper is done with it.
unsafe impl Send for Work {}

struct Shared {
    /// Raised by one for each piece of work; helpers compare it with the last that they saw.
    turn: AtomicUsize,
    /// Helpers still busy with the present turn.
    busy: AtomicUsize,
    panicked: AtomicBool,
    stop: AtomicBool,
    work: Mutex<Option<Work>>,
    wake: Condvar,
}

/// Threads that share the parts of a computation. Which thread does which part never shows in results.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// One computation at a time.
    turn: Mutex<()>,
}

impl Team {
    /// A team of `threads` (at least one: whoever calls).
    pub fn new(threads: usize) -> Team {
        let shared = Arc::new(Shared {
            turn: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            panicked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            work: Mutex::new(None),
            wake: Condvar::new(),
        });
        let helpers = (1..threads.max(1))
            .filter_map(|id| {
                let shared = Arc::clone(&shared);
                // Where the system grants no more threads, the team is smaller and the results are the same.
                std::thread::Builder::new().name(format!("gtm-model-{id}")).spawn(move || help(&shared)).ok()
            })
            .collect();
        Team { shared, helpers, turn: Mutex::new(()) }
    }

    /// How many threads take part.
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `f(0)`, `f(1)`, … `f(parts - 1)`, each once, on any of the threads; returns when all are done.
    ///
    /// # Panics
    /// If `f` does.
    pub fn run(&self, parts: usize, f: &(dyn Fn(usize) + Sync)) {
        if self.helpers.is_empty() || parts <= 1 {
            return (0..parts).for_each(f);
        }
        let _one_at_a_time = self.turn.lock().unwrap_or_else(|e| e.into_inner());
        let next = AtomicUsize::new(0);
        let take_parts = |_: usize| {
            loop {
                let part = next.fetch_add(1, Ordering::Relaxed);
                if part >= parts {
                    break;
                }
                f(part);
            }
        };
        let work: &(dyn Fn(usize) + Sync) = &take_parts;
        // SAFETY: only the lifetime changes. Helpers use the reference between here and the wait below, which
        // ends when all have counted themselves out; `Wait` sees to it that this holds if `f` panics as well.
        let work = Work(unsafe {
            std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), *const (dyn Fn(usize) + Sync + 'static)>(
                work,
            )
        });
        let shared = &*self.shared;
        shared.busy.store(self.helpers.len(), Ordering::Relaxed);
        {
            let mut slot = shared.work.lock().unwrap_or_else(|e| e.into_inner());
            *slot = Some(work);
            shared.turn.fetch_add(1, Ordering::Release);
            shared.wake.notify_all();
        }
        {
            let _wait = Wait(shared);
            take_parts(0);
        }
        if shared.panicked.swap(false, Ordering::Relaxed) {
            panic!("a part of the computation panicked");
        }
    }

    /// Calls `f(index, item)` for each item, on any of the threads; returns when all are done.
    ///
    /// # Panics
    /// If `f` does.
    pub fn for_each_mut<T: Send>(&self, items: &mut [T], f: impl Fn(usize, &mut T) + Sync) {
        struct Base<T>(*mut T);
        // SAFETY: `run` gives each index out once, so no two threads ever hold the same item, and `T: Send`
        // lets another thread have it.
        unsafe impl<T: Send> Sync for Base<T> {}
        impl<T> Base<T> {
            /// # Safety
            /// `index` is within the slice, and nobody else uses this item while the result lives.
            #[allow(clippy::mut_from_ref)]
            unsafe fn item(&self, index: usize) -> &mut T {
                // SAFETY: by the contract.
                unsafe { &mut *self.0.add(index) }
            }
        }
        let base = Base(items.as_mut_ptr());
        self.run(items.len(), &|index| {
            // SAFETY: `index < items.len()`, each index comes once, and `items` stays borrowed until `run` returns.
            f(index, unsafe { base.item(index) });
        });
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        {
            let _slot = self.shared.work.lock().unwrap_or_else(|e| e.into_inner());
            self.shared.turn.fetch_add(1, Ordering::Release);
            self.shared.wake.notify_all();
        }
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}

/// Waits, when dropped, until no helper uses the work any more.
struct Wait<'a>(&'a Shared);

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let mut spins = 0;
        while self.0.busy.load(Ordering::Acquire) != 0 {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
        }
    }
}

fn help(shared: &Shared) {
    let mut seen = 0;
    loop {
        let mut spins = 0;
        while shared.turn.load(Ordering::Acquire) == seen && spins < SPINS {
            spins += 1;
            std::hint::spin_loop();
        }
        let work = {
            let mut slot = shared.work.lock().unwrap_or_else(|e| e.into_inner());
            while shared.turn.load(Ordering::Acquire) == seen {
                slot = shared.wake.wait(slot).unwrap_or_else(|e| e.into_inner());
            }
            *slot
        };
        seen = shared.turn.load(Ordering::Acquire);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let Some(Work(work)) = work else { continue };
        // SAFETY: `Team::run` published the work with this turn and waits for `busy` to fall to zero before it
        // gives it up; this thread counts itself out only below.
        let work = unsafe { &*work };
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(0))).is_err() {
            shared.panicked.store(true, Ordering::Relaxed);
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}
