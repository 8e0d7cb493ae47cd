//! Calls about actions.

use std::{pin::pin, sync::Arc};

use tokio::sync::mpsc;

use super::{
    Inner, deferral, find,
    offer::Offer,
    task::{self, Outlet},
};
use crate::{
    Action, Deferral, Diagnostics, InvokeRequest, PlanActionRequest, Progress,
    action::Report,
    wire::tfplugin6::{
        self as wire,
        invoke_action::{self, event},
        plan_action, validate_action_config,
    },
};

impl Inner {
    fn action(&self, type_name: &str) -> Result<&Offer<dyn Action>, Diagnostics> {
        find(&self.actions, "action", type_name)
    }
}

pub(super) async fn validate(
    inner: Arc<Inner>,
    request: validate_action_config::Request,
) -> Result<validate_action_config::Response, Diagnostics> {
    let action = inner.action(&request.type_name)?;
    let check = |request| action.part.validate(request);
    let diagnostics = action.form.validate(action.form.config_block(request.config)?, &inner, check).await;
    Ok(validate_action_config::Response { diagnostics })
}

pub(super) async fn plan(
    inner: Arc<Inner>,
    request: plan_action::Request,
) -> Result<plan_action::Response, Diagnostics> {
    let action = inner.action(&request.action_type)?;
    let config = action.form.config_block(request.config)?;
    let client = request.client_capabilities.into();
    let request = PlanActionRequest { config, client, cancellation: inner.cancellation() };
    let response = action.part.plan(request).await?;
    let deferred = inner.defer(response.deferred, client, None)?;
    match response.deferred {
        None | Some(Deferral::ProviderConfigUnknown) => {
            Ok(plan_action::Response { diagnostics: response.diagnostics.to_wire(), deferred })
        }
        Some(other) => Err(deferral::nothing_unknown(other).into()),
    }
}

pub(super) async fn invoke(
    inner: Arc<Inner>,
    request: invoke_action::Request,
    outlet: Outlet<invoke_action::Event>,
) -> Result<Diagnostics, Diagnostics> {
    let action = inner.action(&request.action_type)?;
    let config = action.form.config_block(request.config)?;
    let request = InvokeRequest {
        config,
        client: request.client_capabilities.into(),
        cancellation: inner.cancellation(),
    };
    let (progress, mut reports) = mpsc::unbounded_channel();
    let part = Arc::clone(&action.part);
    let work = async move { part.invoke(request, Progress(progress)).await };
    let mut work = pin!(task::isolated::<invoke_action::Request, _>(work));
    let mut said = Diagnostics::new();
    let done = loop {
        tokio::select! {
            biased;
            Some(report) = reports.recv() => tell(&outlet, report, &mut said).await,
            done = &mut work => break done,
        }
    };
    // What was said last may still be on its way; a copy of `Progress` left somewhere must not hold us.
    reports.close();
    while let Some(report) = reports.recv().await {
        tell(&outlet, report, &mut said).await;
    }
    match done {
        Ok(()) => Ok(said),
        Err(errors) => {
            said.extend(errors);
            Err(said)
        }
    }
}

async fn tell(outlet: &Outlet<invoke_action::Event>, report: Report, said: &mut Diagnostics) {
    match report {
        Report::Message(message) => {
            let event = event::Type::Progress(event::Progress { message });
            // Nobody may be listening any more; the action goes on.
            let _ = outlet.send(Ok(invoke_action::Event { r#type: Some(event) })).await;
        }
        Report::Warnings(warnings) => said.extend(warnings),
    }
}

/// Exactly one event says that the action is over.
#[expect(clippy::unnecessary_wraps, reason = "other streams may end without a word")]
pub(super) fn end(diagnostics: Vec<wire::Diagnostic>) -> Option<invoke_action::Event> {
    let completed = event::Type::Completed(event::Completed { diagnostics });
    Some(invoke_action::Event { r#type: Some(completed) })
}
