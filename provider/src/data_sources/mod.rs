//! The data sources, one file each, named as in HCL.

use tfplugin::Registry;

use crate::Client;

/// Offers them all.
pub fn register(_registry: &mut Registry<Client>) {}
