//! Admission: how many requests are worked on at once, and how many arrive in a second.
//!
//! Surplus is refused at once rather than queued: a queue only moves the wait, and clients retry
//! on `Retry-After`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Client addresses remembered. Beyond it, those that have not called for a second are forgotten.
const CLIENTS: usize = 10_000;

/// A fixed number of places.
#[derive(Debug)]
pub(crate) struct Places {
    taken: AtomicUsize,
    limit: usize,
}

/// A place taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    pub(crate) fn new(limit: usize) -> Arc<Places> {
        Arc::new(Places { taken: AtomicUsize::new(0), limit })
    }

    /// A place, unless all are taken.
    pub(crate) fn take(self: &Arc<Places>) -> Option<Place> {
        if self.taken.fetch_add(1, Ordering::AcqRel) < self.limit {
            return Some(Place(self.clone()));
        }
        self.taken.fetch_sub(1, Ordering::AcqRel);
        None
    }

    /// How many are taken now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire).min(self.limit)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Limits on requests a second, for all clients together and for each.
#[derive(Debug)]
pub(crate) struct Rates {
    all: Option<(f64, Mutex<Bucket>)>,
    each: Option<(f64, Mutex<HashMap<IpAddr, Bucket>>)>,
}

impl Rates {
    pub(crate) fn new(all: Option<u32>, each: Option<u32>, now: Instant) -> Rates {
        let rate = |per_second: Option<u32>| per_second.map(|n| f64::from(n.max(1)));
        Rates {
            all: rate(all).map(|n| (n, Mutex::new(Bucket { left: n, at: now }))),
            each: rate(each).map(|n| (n, Mutex::new(HashMap::new()))),
        }
    }

    /// Whether one more request may pass; if not, the seconds to wait.
    pub(crate) fn pass(&self, client: Option<IpAddr>, now: Instant) -> Result<(), u32> {
        // The client's own limit first: what one client wastes must not count against the others.
        if let (Some((rate, buckets)), Some(client)) = (&self.each, client) {
            let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
            if buckets.len() >= CLIENTS && !buckets.contains_key(&client) {
                buckets.retain(|_, bucket| now.duration_since(bucket.at).as_secs_f64() < 1.0);
                if buckets.len() >= CLIENTS {
                    return Err(1);
                }
            }
            buckets.entry(client).or_insert(Bucket { left: *rate, at: now }).take(*rate, now)?;
        }
        if let Some((rate, bucket)) = &self.all {
            bucket.lock().unwrap_or_else(PoisonError::into_inner).take(*rate, now)?;
        }
        Ok(())
    }
}

/// A token bucket that holds one second's worth.
#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, rate: f64, now: Instant) -> Result<(), u32> {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * rate;
        self.left = (self.left + gained).min(rate);
        self.at = now;
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        Err(((1.0 - self.left) / rate).ceil().max(1.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn places_are_given_back() {
        let places = Places::new(2);
        let first = places.take();
        let second = places.take();
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        drop(first);
        assert_eq!(places.taken(), 1);
        assert!(places.take().is_some());
    }

    #[test]
    fn a_client_over_its_rate_waits_and_others_do_not() {
        let start = Instant::now();
        let rates = Rates::new(None, Some(2), start);
        let (a, b) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        assert!(rates.pass(a, start).is_ok() && rates.pass(a, start).is_ok());
        assert_eq!(rates.pass(a, start), Err(1));
        assert!(rates.pass(b, start).is_ok());
        assert!(rates.pass(a, start + Duration::from_millis(600)).is_ok());
    }

    #[test]
    fn the_common_rate_holds_for_all() {
        let start = Instant::now();
        let rates = Rates::new(Some(3), None, start);
        let passed = (0..10u8).filter(|i| rates.pass(Some([10, 0, 0, *i].into()), start).is_ok()).count();
        assert_eq!(passed, 3);
    }
}
