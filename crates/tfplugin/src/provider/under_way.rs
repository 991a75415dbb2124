//! What provider code runs for: a label for the requests that it sends.

use std::future::Future;

tokio::task_local! {
    static LABEL: String;
}

/// What the code that asks runs for: a resource's name and the operation, `tiny_note/create`. Data sources, lists and actions
/// have their kind before it: `data.tiny_note/read`. None outside a provider's operations, and in tasks that they spawn.
///
/// A provider sends it with its requests, so that whoever reads the other side's log sees which resource each call was for.
pub fn under_way() -> Option<String> {
    LABEL.try_with(Clone::clone).ok()
}

/// Runs provider code under its label.
pub(crate) fn labelled<F: Future>(label: String, work: F) -> impl Future<Output = F::Output> {
    LABEL.scope(label, work)
}
