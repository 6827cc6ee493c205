//! A language model that many threads ask: tokenizer, grammars and engine behind one bounded queue.

use crate::adapter::Adapter;
use crate::engine::{Engine, EngineOptions};
use crate::generate::{Batch, Completion, Request, Ticket};
use crate::grammar::Grammars;
use crate::params::Params;
use crate::tokenizer::{END, Tokenizer};
use gtm_error::{Code, Error, Result};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a [`LanguageModel`] may use.
#[derive(Clone, Copy, Debug)]
pub struct ModelOptions {
    /// What its engine may use.
    pub engine: EngineOptions,
    /// Requests that may wait; one more is refused.
    pub queue: usize,
}

impl Default for ModelOptions {
    /// The engine's own defaults; 1,024 requests may wait.
    fn default() -> ModelOptions {
        ModelOptions { engine: EngineOptions::default(), queue: 1_024 }
    }
}

/// A language model at work. Dropping it gives up what is still running.
pub struct LanguageModel {
    tokenizer: Arc<Tokenizer>,
    grammars: Grammars,
    engine: Arc<Engine>,
    queue: Option<SyncSender<Order>>,
    worker: Option<JoinHandle<()>>,
}

struct Order {
    request: Request,
    reply: mpsc::Sender<Result<Completion>>,
    cancelled: Arc<AtomicBool>,
}

/// A text that is being written. Dropping it gives the request up.
pub struct Pending {
    reply: Receiver<Result<Completion>>,
    cancelled: Arc<AtomicBool>,
}

/// The worker's stack: masks follow schemas' nesting.
const STACK: usize = 64 << 20;

impl LanguageModel {
    /// Reads a Hugging Face folder (`config.json`, `model.safetensors`, `tokenizer.json`), and an adapter for it if one is given.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`], [`Code::ModelInvalid`].
    pub fn load(dir: &Path, adapter: Option<&Path>, options: &ModelOptions) -> Result<LanguageModel> {
        let mut params = Params::load(dir)?;
        if let Some(adapter) = adapter {
            Adapter::load(adapter, &params)?.add_to(&mut params.data);
        }
        LanguageModel::new(&params, Tokenizer::load(dir)?, options).map_err(|e| e.in_file(dir.display()))
    }

    /// A model of these parameters and this tokenizer.
    ///
    /// # Errors
    /// [`Code::ModelInvalid`] if the two do not fit.
    pub fn new(params: &Params, tokenizer: Tokenizer, options: &ModelOptions) -> Result<LanguageModel> {
        let invalid = |message: String| Error::new(Code::ModelInvalid, message);
        if tokenizer.len() > params.config.vocab_size {
            return Err(invalid(format!(
                "{} tokens for a vocabulary of {}",
                tokenizer.len(),
                params.config.vocab_size
            )));
        }
        let end = params.config.eos.first().copied().or(tokenizer.special(END));
        let end = end.ok_or_else(|| invalid("no token is known to end a text".into()))?;
        let tokenizer = Arc::new(tokenizer);
        let grammars = Grammars::new(Arc::clone(&tokenizer), end)?;
        let engine = Arc::new(Engine::new(params, &options.engine));
        let (queue, orders) = mpsc::sync_channel(options.queue.max(1));
        let worker = {
            let engine = Arc::clone(&engine);
            let most = options.queue.max(1);
            std::thread::Builder::new()
                .name("gtm-engine".into())
                .stack_size(STACK)
                .spawn(move || work(&engine, &orders, most))
                .map_err(|e| invalid(format!("no thread for the engine: {e}")))?
        };
        Ok(LanguageModel { tokenizer, grammars, engine, queue: Some(queue), worker: Some(worker) })
    }

    /// Text to tokens and back.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Compiles grammars.
    pub fn grammars(&self) -> &Grammars {
        &self.grammars
    }

    /// The engine, for its limits.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sends a request off.
    ///
    /// # Errors
    /// [`Code::ModelBusy`] if too many wait already. What is wrong with the request itself comes with its reply.
    pub fn submit(&self, request: Request) -> Result<Pending> {
        let (reply, receiver) = mpsc::channel();
        let cancelled = Arc::default();
        let order = Order { request, reply, cancelled: Arc::clone(&cancelled) };
        match self.queue.as_ref().map(|queue| queue.try_send(order)) {
            Some(Ok(())) => Ok(Pending { reply: receiver, cancelled }),
            Some(Err(TrySendError::Full(_))) => Err(Error::new(Code::ModelBusy, "the model's queue is full")),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(stopped()),
        }
    }

    /// Writes a text and waits for it.
    ///
    /// # Errors
    /// As [`LanguageModel::submit`] and [`Pending::wait`].
    pub fn complete(&self, request: Request) -> Result<Completion> {
        self.submit(request)?.wait()
    }
}

impl Drop for LanguageModel {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

impl Pending {
    /// Waits for the text.
    ///
    /// # Errors
    /// [`Code::ModelLimit`] and [`Code::ModelInvalid`] for requests that cannot be run, [`Code::GrammarInvalid`] if the
    /// grammar exceeds its limits on the way, [`Code::ModelCancelled`] if the engine stops.
    pub fn wait(self) -> Result<Completion> {
        self.reply.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Waits for the text, but no longer than this; then gives it up.
    ///
    /// # Errors
    /// As [`Pending::wait`]; [`Code::ModelCancelled`] after that time.
    pub fn wait_for(self, time: Duration) -> Result<Completion> {
        match self.reply.recv_timeout(time) {
            Ok(result) => result,
            Err(RecvTimeoutError::Disconnected) => Err(stopped()),
            Err(RecvTimeoutError::Timeout) => {
                Err(Error::new(Code::ModelCancelled, format!("no text within {} ms", time.as_millis())))
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

fn stopped() -> Error {
    Error::new(Code::ModelCancelled, "the engine has stopped")
}

/// Takes orders and advances them until nobody can send any more.
fn work(engine: &Engine, orders: &Receiver<Order>, most: usize) {
    let mut batch = Batch::new();
    let mut replies: HashMap<Ticket, (mpsc::Sender<Result<Completion>>, Arc<AtomicBool>)> = HashMap::new();
    let mut open = true;
    while open {
        // Idle, it sleeps; busy, it takes what is there, no more than may wait.
        let mut order = if batch.is_empty() {
            orders.recv().map_err(|_| TryRecvError::Disconnected)
        } else {
            orders.try_recv()
        };
        loop {
            match order {
                Ok(Order { request, reply, cancelled }) => match batch.push(engine, request) {
                    Ok(ticket) => drop(replies.insert(ticket, (reply, cancelled))),
                    Err(error) => drop(reply.send(Err(error))),
                },
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    open = false;
                    break;
                }
            }
            if batch.len() >= most {
                break;
            }
            order = orders.try_recv();
        }
        replies.retain(|&ticket, (_, cancelled)| {
            let wanted = !cancelled.load(Ordering::Relaxed);
            if !wanted {
                batch.cancel(ticket);
            }
            wanted
        });
        if !open {
            break;
        }
        // A mistake of ours must not take the others' engine away for good.
        match catch_unwind(AssertUnwindSafe(|| batch.step(engine))) {
            Ok(done) => {
                for (ticket, result) in done {
                    if let Some((reply, _)) = replies.remove(&ticket) {
                        // Whoever left does not mind.
                        let _ = reply.send(result);
                    }
                }
            }
            Err(_) => {
                batch = Batch::new();
                for (_, (reply, _)) in replies.drain() {
                    let _ = reply.send(Err(Error::new(Code::Internal, "the engine failed on a step")));
                }
            }
        }
    }
}
