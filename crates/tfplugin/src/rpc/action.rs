//! Actions: judged, planned, and invoked with their progress while they run.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::codegen::BoxStream;
use tonic::codegen::tokio_stream::Stream;

use super::catalog::ActionType;
use super::validate::{self, Subject};
use super::{Service, guard, wire};
use crate::cty::{Type, Val};
use crate::diag::{Diagnostic, Result};
use crate::proto::tfplugin6 as pb;
use crate::proto::tfplugin6::invoke_action::Event;
use crate::proto::tfplugin6::invoke_action::event::{self, Completed, Progress};
use crate::provider::erased::BoxFuture;
use crate::provider::operation::Call;
use crate::semantics::{draft, timeouts};

pub(super) fn validate(
    service: &Service,
    message: &pb::validate_action_config::Request,
) -> pb::validate_action_config::Response {
    pb::validate_action_config::Response {
        diagnostics: judged(service, &message.action_type, message.config.as_ref()),
    }
}

/// A plan judges the configuration again: more of it is known than while it was validated.
pub(super) fn plan(service: &Service, message: &pb::plan_action::Request) -> pb::plan_action::Response {
    pb::plan_action::Response {
        diagnostics: judged(service, &message.action_type, message.config.as_ref()),
        deferred: None,
    }
}

fn judged(service: &Service, name: &str, config: Option<&pb::DynamicValue>) -> Vec<pb::Diagnostic> {
    match service.catalog.action(name) {
        Ok(one) => judge(service, one, config),
        Err(diags) => wire::diagnostics(diags, &Type::Dynamic),
    }
}

fn judge(service: &Service, one: &ActionType, config: Option<&pb::DynamicValue>) -> Vec<pb::Diagnostic> {
    let subject = Subject {
        object: &one.object,
        ty: &one.ty,
        timeouts: one.timeouts,
        // The configuration of an action is never stored.
        write_only_allowed: true,
        mocked: service.may_be_mocked(),
    };
    validate::config(&subject, config, |config, certain, diags| {
        one.any.validate(config, certain, diags);
    })
}

pub(super) fn invoke(service: &Service, message: &pb::invoke_action::Request) -> BoxStream<Event> {
    let (name, config) = (message.action_type.as_str(), message.config.as_ref());
    let judged = judged(service, name, config);
    if judged.iter().any(is_error) {
        return Box::pin(Events::over(judged));
    }
    let begun = service
        .catalog
        .action(name)
        .and_then(|one| begin(service, one, config));
    Box::pin(begun.unwrap_or_else(|diags| Events::over(wire::diagnostics(diags, &Type::Dynamic))))
}

fn is_error(one: &pb::Diagnostic) -> bool {
    one.severity() == pb::diagnostic::Severity::Error
}

fn begin(service: &Service, one: &Arc<ActionType>, config: Option<&pb::DynamicValue>) -> Result<Events> {
    let config = wire::value(config, &one.ty)?;
    if !config.is_wholly_known() {
        return Err(Diagnostic::error("The action cannot be invoked yet")
            .detail(format!(
                "A value in the configuration of `{}` is known only after apply. Nothing was done.",
                one.name
            ))
            .into());
    }
    let limit = timeouts::of(one.timeouts, "invoke", &config);
    let call = service.call(&one.name, limit, BTreeMap::new())?;
    call.notes().progress = Some(VecDeque::new());
    // An action has no plan: defaults are filled in here.
    let (config, _) = draft::draft(&one.object, &Val::Null, &config);
    Ok(Events::of(Arc::clone(one), config, Arc::new(call)))
}

/// The events of one invocation. The action runs while they are asked for, so that no more of them wait than one step of it
/// gives.
struct Events {
    call: Option<Arc<Call>>,
    work: Option<BoxFuture<'static, Vec<pb::Diagnostic>>>,
    /// How the action ended, once its progress is sent.
    end: Option<Vec<pb::Diagnostic>>,
}

impl Events {
    /// Those of an action that was not begun.
    fn over(diagnostics: Vec<pb::Diagnostic>) -> Self {
        Self {
            call: None,
            work: None,
            end: Some(diagnostics),
        }
    }

    fn of(one: Arc<ActionType>, config: Val, call: Arc<Call>) -> Self {
        Self {
            call: Some(Arc::clone(&call)),
            work: Some(Box::pin(work(one, config, call))),
            end: None,
        }
    }

    fn progress(&self) -> Option<Event> {
        let message = self.call.as_ref()?.notes().progress.as_mut()?.pop_front()?;
        Some(event(event::Type::Progress(Progress { message })))
    }
}

async fn work(one: Arc<ActionType>, config: Val, call: Arc<Call>) -> Vec<pb::Diagnostic> {
    let invoked = guard(
        format!("action.{}/invoke", one.name),
        one.any.invoke(&config, &call),
    )
    .await;
    let mut diags = std::mem::take(&mut call.notes().warnings);
    diags.extend(invoked.err().into_iter().flatten());
    wire::diagnostics(diags, &one.ty)
}

fn event(what: event::Type) -> Event {
    Event { r#type: Some(what) }
}

impl Stream for Events {
    type Item = Result<Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(progress) = self.progress() {
            return Poll::Ready(Some(Ok(progress)));
        }
        if let Some(work) = &mut self.work
            && let Poll::Ready(end) = work.as_mut().poll(cx)
        {
            (self.work, self.end) = (None, Some(end));
        }
        let completed = |diagnostics| event(event::Type::Completed(Completed { diagnostics }));
        match self.progress() {
            Some(progress) => Poll::Ready(Some(Ok(progress))),
            None if self.work.is_some() => Poll::Pending,
            None => Poll::Ready(self.end.take().map(completed).map(Ok)),
        }
    }
}
