//! Times and seeded randomness: both are arguments of the core, so that a journal replays to the same state.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// Milliseconds since 1970.
pub(crate) type Millis = i64;

/// One day.
pub(crate) const DAY: Millis = 24 * 60 * 60 * 1000;

/// The JSON protocols' form of a time: seconds since 1970, with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of our era fit in 53 bits"
)]
pub(crate) fn epoch_seconds(at: Millis) -> Value {
    Value::from(at as f64 / 1000.0)
}

/// `2024-04-19T13:44:02Z`: the form of an event's `time`.
pub(crate) fn rfc3339_seconds(at: Millis) -> String {
    let seconds = Timestamp::from_second(at.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{seconds:.0}")
}

/// `2024-04-19T13:44:02.125Z`: the form of a time in the metadata of an event on a custom event bus.
pub(crate) fn rfc3339_millis(at: Millis) -> String {
    let time = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// A time as requests carry it: seconds as a number, or RFC 3339 text.
pub(crate) fn read_time(value: &Value) -> Option<Millis> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked against the range of years first"
        )]
        Value::Number(number) => {
            let seconds = number.as_f64()?;
            (seconds.abs() < 250_000_000_000.0).then_some((seconds * 1000.0).round() as Millis)
        }
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond),
        _ => None,
    }
}

/// Random bits from a seed (splitmix64): unguessable enough for ids on one machine, and the same at every replay.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// What it takes to go on from here with [`Self::new`].
    pub(crate) fn state(&self) -> u64 {
        self.0
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        self.random_uuid().to_string()
    }

    /// The same, to be shared.
    pub(crate) fn id(&mut self) -> Arc<str> {
        let mut buffer = uuid::Uuid::encode_buffer();
        Arc::from(&*self.random_uuid().hyphenated().encode_lower(&mut buffer))
    }

    fn random_uuid(&mut self) -> uuid::Uuid {
        let bytes = (u128::from(self.roll()) << 64) | u128::from(self.roll());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(rfc3339_seconds(1_713_534_242_999), "2024-04-19T13:44:02Z");
        assert_eq!(rfc3339_millis(1_713_534_242_120), "2024-04-19T13:44:02.120Z");
        assert_eq!(read_time(&Value::from(1_713_534_242)), Some(1_713_534_242_000));
        assert_eq!(
            read_time(&Value::from("2024-04-19T13:44:02Z")),
            Some(1_713_534_242_000)
        );
        assert_eq!(read_time(&Value::from("yesterday")), None);
        assert_eq!(read_time(&Value::from(1e300)), None);
        assert_eq!(epoch_seconds(1_500).to_string(), "1.5");
    }

    #[test]
    fn dice_repeat_from_a_seed() {
        let (mut a, mut b, mut c) = (Dice::new(7), Dice::new(7), Dice::new(8));
        let first = a.uuid();
        assert_eq!(*first, *b.id());
        assert_ne!(first, c.uuid());
        assert_eq!(&first[14..15], "4");
    }
}
