//! A struct without documentation.

use tfplugin::Attrs;

#[derive(Attrs)]
struct Thing {
    /// Its name.
    #[tf(required)]
    name: String,
}

fn main() {}
