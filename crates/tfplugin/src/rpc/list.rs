//! Lists: objects that exist, managed or not, as a stream.
//!
//! A task runs the list and reads what it finds, at most [`READS_MAX`] objects at a time, in the order in which they were
//! found; a channel of [`EVENTS_MAX`] holds the results that the client has not taken. When the client goes away, the limit is
//! reached or the user interrupts, the list and its reads are dropped: they only read.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tonic::Status;
use tonic::codegen::BoxStream;
use tonic::codegen::tokio_stream::Stream;

use super::catalog::{Catalog, ListType, ResourceType};
use super::validate::{self, Subject};
use super::{Service, guard, read, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Diagnostics, Result};
use crate::path::Path;
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::list_resource::Event;
use crate::provider::erased::BoxFuture;
use crate::provider::import::Imported;
use crate::provider::list::{Item, Known};
use crate::provider::operation::Call;
use crate::semantics::draft::{self, TIMEOUTS};
use crate::semantics::{merge, timeouts};
use crate::timeouts::Timeouts;

/// Objects of one list that are read at the same time.
const READS_MAX: usize = 8;
/// Results that wait for the client.
const EVENTS_MAX: usize = 16;

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_list_resource_config::Request,
) -> pb::validate_list_resource_config::Response {
    let judged = service.catalog.list(&message.type_name).map(|one| {
        let subject = Subject {
            object: &one.object,
            ty: &one.ty,
            timeouts: Timeouts::none(),
            write_only_allowed: false,
            mocked: service.may_be_mocked(),
        };
        validate::config(&subject, message.config.as_ref(), |_, _, _| {})
    });
    pb::validate_list_resource_config::Response {
        diagnostics: judged.unwrap_or_else(|diags| wire::diagnostics(diags, &Type::Dynamic)),
    }
}

pub(super) fn list(service: &Service, message: &pb::list_resource::Request) -> BoxStream<Event> {
    let (events, stream) = mpsc::channel(EVENTS_MAX);
    match Listing::new(service, message) {
        Ok(listing) => {
            tokio::spawn(listing.run(events));
        }
        // The channel is empty: there is room.
        Err(diags) => drop(events.try_send(failed(diags, &Type::Dynamic))),
    }
    Box::pin(Events(stream))
}

/// What the client reads.
struct Events(mpsc::Receiver<Event>);

impl Stream for Events {
    type Item = Result<Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx).map(|event| event.map(Ok))
    }
}

fn failed(diags: Diagnostics, ty: &Type) -> Event {
    Event {
        diagnostic: wire::diagnostics(diags, ty),
        ..Event::default()
    }
}

/// One list under way.
struct Listing {
    catalog: Arc<Catalog>,
    name: String,
    config: Val,
    call: Arc<Call>,
    whole: bool,
    limit: usize,
}

/// How the list itself ended.
enum End {
    /// With all that there is.
    Whole,
    /// With an error.
    Failed(Diagnostics),
    /// At the limit, and there is more.
    Limited,
}

impl Listing {
    fn new(service: &Service, message: &pb::list_resource::Request) -> Result<Self> {
        let one = service.catalog.list(&message.type_name)?;
        let config = wire::value(message.config.as_ref(), &one.ty)?;
        let time = timeouts::of(Timeouts::none(), "list", &config);
        let call = service.call(&one.name, time, BTreeMap::new())?;
        // As with a data source, defaults are filled in here.
        let (config, _) = draft::draft(&one.object, &Val::Null, &config);
        Ok(Self {
            catalog: Arc::clone(&service.catalog),
            name: one.name.clone(),
            config,
            call: Arc::new(call),
            whole: message.include_resource_object,
            // A client that gives no limit wants all.
            limit: usize::try_from(message.limit)
                .ok()
                .filter(|limit| *limit > 0)
                .unwrap_or(usize::MAX),
        })
    }

    /// What the list and the reads of its objects run for.
    fn label(&self) -> String {
        format!("list.{}/list", self.name)
    }

    async fn run(self, events: mpsc::Sender<Event>) {
        let (Ok(list), Ok(of)) = (self.catalog.list(&self.name), self.catalog.resource(&self.name)) else {
            // Its name was looked up before it began, and a list without its resource is refused at registration.
            return;
        };
        let (sink, items) = mpsc::channel(1);
        let end = sink.clone();
        let find = async {
            let ended = guard(self.label(), list.any.list(&self.config, &self.call, sink)).await;
            // Where nobody listens, nobody wants to know.
            let _ = end.send(Item::End(ended)).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = find => {}
            () = self.collect(list, of, items, &events) => {}
            () = events.closed() => {}
            () = self.call.cancel.cancelled() => {
                let stopped = Diagnostic::error(format!("The list of `{}` was interrupted", self.name))
                    .detail("It is not whole. Nothing was changed.");
                let _ = events.send(failed(stopped.into(), &list.ty)).await;
            }
        }
        // What still runs of it has nobody to tell.
        self.call.cancel.cancel();
    }

    /// Reads what was found and sends it on. The last result within the limit waits until it is known whether there are more:
    /// a client stops reading at its limit.
    async fn collect(
        &self,
        list: &ListType,
        of: &ResourceType,
        mut items: mpsc::Receiver<Item>,
        events: &mpsc::Sender<Event>,
    ) {
        let mut window = Window::default();
        let (mut taken, mut sent) = (0, 0);
        let mut end = None;
        loop {
            let may_send = !window.0.is_empty() && (end.is_some() || sent + 1 < self.limit);
            let may_take = end.is_none() && window.0.len() < READS_MAX;
            let mut event = tokio::select! {
                biased;
                result = window.first(), if may_send => event(of, result, self.whole),
                item = items.recv(), if may_take => {
                    match item {
                        Some(Item::End(Ok(()))) | None => end = Some(End::Whole),
                        Some(Item::End(Err(diags))) => end = Some(End::Failed(diags)),
                        Some(Item::Found(..)) if taken == self.limit => end = Some(End::Limited),
                        Some(Item::Found(name, known)) => {
                            taken += 1;
                            window.0.push_back(self.slot(of, name, known));
                        }
                    }
                    continue;
                }
                else => break,
            };
            sent += 1;
            if sent == self.limit && matches!(end, Some(End::Limited)) {
                event
                    .diagnostic
                    .extend(wire::diagnostics(self.more().into(), &list.ty));
            }
            if events.send(event).await.is_err() {
                return;
            }
        }
        let mut diags = std::mem::take(&mut self.call.notes().warnings);
        if let Some(End::Failed(failed)) = end {
            diags.extend(failed);
        }
        if !diags.is_empty() {
            let _ = events.send(failed(diags, &list.ty)).await;
        }
    }

    fn more(&self) -> Diagnostic {
        let (name, limit) = (&self.name, self.limit);
        Diagnostic::warning(format!("There are more than {limit} objects of `{name}`")).detail(format!(
            "The list ends at its `limit`, which is {limit}. Set a higher `limit` in the `list` block, beside `provider`, or ask \
             for fewer in its `config`."
        ))
    }

    fn slot(&self, of: &ResourceType, name: String, known: Known) -> Slot {
        let object = match known {
            Known::Object(object) => Ok(merge::for_state(&of.object, &Val::Null, object).unknown_to_null()),
            Known::Import(values) => match imported(of, values) {
                Ok(state) if self.whole => return Slot::Reading(self.read(name, state)),
                state => state,
            },
        };
        Slot::Done(Outcome::of(name, object))
    }

    /// Reads an object as after its import.
    fn read(&self, display_name: String, state: Val) -> BoxFuture<'static, Outcome> {
        let (catalog, name) = (Arc::clone(&self.catalog), self.name.clone());
        let (call, label) = (self.call.for_object(), self.label());
        Box::pin(async move {
            let read = match catalog.resource(&name) {
                Ok(one) => guard(label, one.any.read(&state, &call)).await.map(|read| {
                    read.map_or(Val::Null, |actual| {
                        merge::for_state(&one.object, &state, actual).unknown_to_null()
                    })
                }),
                Err(diags) => Err(diags),
            };
            Outcome {
                warnings: std::mem::take(&mut call.notes().warnings),
                ..Outcome::of(display_name, read)
            }
        })
    }
}

/// What became of something that was found.
struct Outcome {
    display_name: String,
    object: Result<Val>,
    warnings: Diagnostics,
}

impl Outcome {
    fn of(display_name: String, object: Result<Val>) -> Self {
        Self {
            display_name,
            object,
            warnings: Diagnostics::new(),
        }
    }
}

enum Slot {
    Reading(BoxFuture<'static, Outcome>),
    Done(Outcome),
}

/// What is read, in the order in which it was found.
#[derive(Default)]
struct Window(VecDeque<Slot>);

impl Window {
    /// The first, once it is read; the others make progress meanwhile. Dropped, it loses nothing.
    async fn first(&mut self) -> Outcome {
        std::future::poll_fn(|cx| {
            for slot in &mut self.0 {
                if let Slot::Reading(read) = slot
                    && let Poll::Ready(outcome) = read.as_mut().poll(cx)
                {
                    *slot = Slot::Done(outcome);
                }
            }
            match self.0.pop_front() {
                Some(Slot::Done(outcome)) => return Poll::Ready(outcome),
                Some(reading) => self.0.push_front(reading),
                None => {}
            }
            Poll::Pending
        })
        .await
    }
}

/// The state as an import would have it.
fn imported(of: &ResourceType, values: Vec<(Path, Imported)>) -> Result<Val> {
    let mut state = merge::sparse(&of.object, BTreeMap::new());
    for (path, value) in values {
        let value = match value {
            Imported::Value(value) => value,
            Imported::Text(text) => Val::String(text),
        };
        if !state.put(path.steps(), value) {
            let bug = format!(
                "This is a bug in the provider: `{}` has no attribute `{path}`.",
                of.name
            );
            return Err(Diagnostic::error("Cannot list").detail(bug).into());
        }
    }
    Ok(state)
}

/// The message of a result. An object that went away since it was found has none of its own.
fn event(of: &ResourceType, outcome: Outcome, whole: bool) -> Event {
    let Outcome {
        display_name,
        object,
        warnings: mut diags,
    } = outcome;
    let mut object = match object {
        Ok(object) => object,
        Err(errors) => {
            diags.extend(errors);
            return failed(diags, &of.ty);
        }
    };
    if object.is_null() {
        diags.push(
            Diagnostic::warning(format!("`{display_name}` is left out of the list"))
                .detail(format!("This `{}` was deleted while the list was made.", of.name)),
        );
        return failed(diags, &of.ty);
    }
    if let (Val::Map(all), false) = (&mut object, of.timeouts.entries().is_empty()) {
        all.insert(TIMEOUTS.to_owned(), Val::Null);
    }
    let identity = read::identity(of, &object, &mut diags);
    if identity.is_none() {
        let bug = format!(
            "This is a bug in the provider: the identity of the `{}` named `{display_name}` is not known.",
            of.name
        );
        diags.push(Diagnostic::error("Cannot list").detail(bug));
    }
    let resource_object = whole
        .then(|| wire::dynamic(&object, &of.ty, &mut diags))
        .flatten();
    Event {
        identity,
        display_name,
        resource_object,
        diagnostic: wire::diagnostics(diags, &of.ty),
    }
}
