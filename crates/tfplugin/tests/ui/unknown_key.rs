//! A key that does not exist.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(required, force_new)]
    name: String,
}

fn main() {}
