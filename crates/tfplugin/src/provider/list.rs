//! The trait of a list: which objects of a resource exist, managed or not, for `terraform query`.

use std::future::Future;
use std::marker::PhantomData;

use tokio::sync::mpsc;

use super::import::{Imported, ImportedAttrs};
use super::operation::Operation;
use super::resource::Resource;
use crate::attr::Attrs;
use crate::cty::Val;
use crate::diag::Result;
use crate::path::Path;

/// A list of a resource's objects: the struct is what narrows it down, the trait finds them. In HCL it has the name of the
/// resource.
pub trait List: Attrs {
    /// The resource whose objects it finds. It is registered too, and can be imported.
    type Of: Resource;

    /// Gives each object that the configuration asks for to `found`, in a stable order. Once no more are wanted (the limit is
    /// reached, the user interrupts, the client is gone) this is dropped where it waits: it must only read.
    fn list(
        self,
        operation: &mut Operation<'_, Self>,
        found: &mut Found<Self::Of>,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// Where a list puts what it finds. Each method waits until there is room.
#[derive(Debug)]
pub struct Found<R> {
    sink: mpsc::Sender<Item>,
    of: PhantomData<fn() -> R>,
}

/// What a list puts into the channel.
#[derive(Debug)]
pub(crate) enum Item {
    /// The name of an object, and what is known of it.
    Found(String, Known),
    /// The list has ended.
    End(Result<()>),
}

/// What a list knows of an object.
#[derive(Debug)]
pub(crate) enum Known {
    /// All that a read would give.
    Object(Val),
    /// What an import would set.
    Import(Vec<(Path, Imported)>),
}

impl<R: Resource> Found<R> {
    pub(crate) fn new(sink: mpsc::Sender<Item>) -> Self {
        Self {
            sink,
            of: PhantomData,
        }
    }

    /// An object that is known as a whole: as a read after its import would give it.
    pub async fn object(&mut self, display_name: impl Into<String>, object: R) {
        self.put(display_name.into(), Known::Object(object.to_val()))
            .await;
    }

    /// An object by what an import sets: its identity at least. It is read where the objects are asked for, a few at a time.
    pub async fn import(&mut self, display_name: impl Into<String>, attributes: ImportedAttrs<R>) {
        self.put(display_name.into(), Known::Import(attributes.values))
            .await;
    }

    async fn put(&mut self, display_name: String, known: Known) {
        // Where nobody takes it the list is about to be dropped.
        let _ = self.sink.send(Item::Found(display_name, known)).await;
    }
}
