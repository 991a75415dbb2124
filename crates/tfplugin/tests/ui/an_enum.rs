//! Only a struct has attributes.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
enum Thing {
    /// One.
    One,
}

fn main() {}
