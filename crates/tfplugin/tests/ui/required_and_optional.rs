//! Required and optional at once.

use tfplugin::Attrs;

/// A thing.
#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(required, optional)]
    name: Option<String>,
}

fn main() {}
