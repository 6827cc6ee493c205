//! Deterministic variety: a seed that branches by name and by index.

/// A point in a tree of seeds. Every value is drawn from the point of its own path, so that no
/// value depends on how many others were drawn before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise(u64);

/// SplitMix64's finaliser: every input bit reaches every output bit.
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Noise(mix(seed))
    }

    /// The point of a member.
    pub(super) fn child(self, name: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Noise(mix(self.0 ^ hash))
    }

    /// The point of an item.
    pub(super) fn item(self, index: usize) -> Self {
        Noise(mix(self.0.rotate_left(17) ^ (index as u64 + 1)))
    }

    /// The next number at this point.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0
    }

    /// A number below `n`; 0 for `n` of 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        let span = high.abs_diff(low);
        match span.checked_add(1) {
            Some(count) => low.wrapping_add((self.next() % count) as i64),
            None => self.next() as i64,
        }
    }

    /// A number from 0 to 1, without 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in `percent` of cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of the items.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }

    /// One of the words; empty text if there are none.
    pub(super) fn word<'a>(&mut self, words: &[&'a str]) -> &'a str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// Text of `length` characters from an alphabet of ASCII characters.
    pub(super) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).filter_map(|_| self.pick(alphabet).map(|b| char::from(*b))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Noise;

    #[test]
    fn branches_differ_and_repeat() {
        let root = Noise::new(7);
        let draw = |n: Noise| n.clone().next();
        assert_eq!(draw(root.child("a")), draw(Noise::new(7).child("a")));
        assert_ne!(draw(root.child("a")), draw(root.child("b")));
        assert_ne!(draw(root.item(0)), draw(root.item(1)));
        assert_ne!(draw(root.child("a")), draw(Noise::new(8).child("a")));
    }

    #[test]
    fn ranges_hold_at_the_edges() {
        let mut n = Noise::new(1);
        assert_eq!(n.between(5, 5), 5);
        assert_eq!(n.between(5, 4), 5);
        for _ in 0..1000 {
            assert!((-3..=3).contains(&n.between(-3, 3)));
            let _ = n.between(i64::MIN, i64::MAX);
            assert!((0.0..1.0).contains(&n.unit()));
        }
        assert_eq!(n.below(0), 0);
        assert_eq!(n.word(&[]), "");
    }
}
