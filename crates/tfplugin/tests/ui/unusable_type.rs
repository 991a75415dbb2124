//! A type that is no attribute.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its port.
    #[tf(required)]
    port: u16,
}

fn main() {}
