//! An optional attribute whose type cannot hold null.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(optional)]
    name: String,
}

fn main() {}
