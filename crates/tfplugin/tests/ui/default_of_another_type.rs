//! A default has the type of its field.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its port.
    #[tf(default = true)]
    port: i64,
}

fn main() {}
