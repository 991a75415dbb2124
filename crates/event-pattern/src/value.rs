//! A value of an event, as comparisons see it.

/// A value of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// A string without its escapes, or a number, `true`, `false` or `null` as it is spelt.
    pub(crate) text: &'a [u8],
    pub(crate) string: bool,
}
