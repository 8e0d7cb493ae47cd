//! The table of calls: which handler answers which, and what the log says it is about.

use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use super::{
    Service, action, catalog, change, data_source, ephemeral, function, list, managed, provider, state_store,
    task::{Answer, Asked},
    transfer,
};
use crate::{Diagnostics, wire::tfplugin6 as wire};

macro_rules! asked {
    ($rpc:ident, $request:ty $(, $key:ident, $field:ident)?) => {
        impl Asked for $request {
            const RPC: &'static str = stringify!($rpc);

            fn subject(&self) -> Option<(&'static str, &str)> {
                let subject = [$((stringify!($key), self.$field.as_str()))?];
                subject.first().copied()
            }
        }
    };
}

macro_rules! diagnosed {
    ($answer:ty) => {
        impl Answer for $answer {
            fn failed(diagnostics: &Diagnostics) -> Self {
                let mut answer = Self::default();
                answer.diagnostics = diagnostics.to_wire();
                answer
            }
        }
    };
}

/// Each row: the call, its method and messages, the field the log shows and under which key, the handler.
/// Answers of the first group carry diagnostics; those of the second have a form of their own for errors;
/// those of the third are streams.
macro_rules! calls {
    (
        { $($rpc:ident $call:ident$(($key:ident $field:ident))? => $work:path,)* }
        { $($other_rpc:ident $other:ident$(($other_key:ident $other_field:ident))? => $other_work:path,)* }
        { $($stream_rpc:ident $stream:ident::$event:ident($stream_key:ident $stream_field:ident) => $stream_work:path, $end:path,)* }
    ) => {
        $(asked!($rpc, wire::$call::Request $(, $key, $field)?);
        diagnosed!(wire::$call::Response);)*
        $(asked!($other_rpc, wire::$other::Request $(, $other_key, $other_field)?);)*
        $(asked!($stream_rpc, wire::$stream::Request, $stream_key, $stream_field);)*

        #[tonic::async_trait]
        impl wire::provider_server::Provider for Service {
            $(async fn $call(
                &self,
                request: Request<wire::$call::Request>,
            ) -> Result<Response<wire::$call::Response>, Status> {
                Ok(Response::new(self.run($work, request.into_inner()).await))
            })*

            $(async fn $other(
                &self,
                request: Request<wire::$other::Request>,
            ) -> Result<Response<wire::$other::Response>, Status> {
                Ok(Response::new(self.run($other_work, request.into_inner()).await))
            })*

            $(async fn $stream(
                &self,
                request: Request<wire::$stream::Request>,
            ) -> Result<Response<BoxStream<wire::$stream::$event>>, Status> {
                Ok(Response::new(Box::pin(self.stream($stream_work, request.into_inner(), $end))))
            })*

            async fn write_state_bytes(
                &self,
                request: Request<Streaming<wire::write_state_bytes::RequestChunk>>,
            ) -> Result<Response<wire::write_state_bytes::Response>, Status> {
                let chunks = state_store::Chunks(request.into_inner());
                Ok(Response::new(self.run(state_store::write, chunks).await))
            }
        }
    };
}

diagnosed!(wire::write_state_bytes::Response);

calls! {
    {
        GetMetadata get_metadata => catalog::metadata,
        GetProviderSchema get_provider_schema => catalog::schema,
        GetResourceIdentitySchemas get_resource_identity_schemas => catalog::identities,
        GetFunctions get_functions => catalog::functions,
        ValidateProviderConfig validate_provider_config => provider::validate,
        ConfigureProvider configure_provider => provider::configure,
        ValidateResourceConfig validate_resource_config(tf_resource_type type_name) => managed::validate,
        ReadResource read_resource(tf_resource_type type_name) => managed::read,
        ImportResourceState import_resource_state(tf_resource_type type_name) => managed::import,
        PlanResourceChange plan_resource_change(tf_resource_type type_name) => change::plan,
        ApplyResourceChange apply_resource_change(tf_resource_type type_name) => change::apply,
        UpgradeResourceState upgrade_resource_state(tf_resource_type type_name) => transfer::upgrade,
        UpgradeResourceIdentity upgrade_resource_identity(tf_resource_type type_name) => transfer::upgrade_identity,
        MoveResourceState move_resource_state(tf_resource_type target_type_name) => transfer::moved,
        GenerateResourceConfig generate_resource_config(tf_resource_type type_name) => transfer::generate,
        ValidateDataResourceConfig validate_data_resource_config(tf_data_source_type type_name) => data_source::validate,
        ReadDataSource read_data_source(tf_data_source_type type_name) => data_source::read,
        ValidateEphemeralResourceConfig validate_ephemeral_resource_config(tf_ephemeral_resource_type type_name) => ephemeral::validate,
        OpenEphemeralResource open_ephemeral_resource(tf_ephemeral_resource_type type_name) => ephemeral::open,
        RenewEphemeralResource renew_ephemeral_resource(tf_ephemeral_resource_type type_name) => ephemeral::renew,
        CloseEphemeralResource close_ephemeral_resource(tf_ephemeral_resource_type type_name) => ephemeral::close,
        ValidateListResourceConfig validate_list_resource_config(tf_list_resource_type type_name) => list::validate,
        ValidateActionConfig validate_action_config(tf_action_type type_name) => action::validate,
        PlanAction plan_action(tf_action_type action_type) => action::plan,
        ValidateStateStoreConfig validate_state_store_config(tf_state_store_type type_name) => state_store::validate,
        ConfigureStateStore configure_state_store(tf_state_store_type type_name) => state_store::configure,
        GetStates get_states(tf_state_store_type type_name) => state_store::states,
        DeleteState delete_state(tf_state_store_type type_name) => state_store::delete,
        LockState lock_state(tf_state_store_type type_name) => state_store::lock,
        UnlockState unlock_state(tf_state_store_type type_name) => state_store::unlock,
    }
    {
        CallFunction call_function(tf_function name) => function::call,
        StopProvider stop_provider => provider::stop,
    }
    {
        ListResource list_resource::Event(tf_list_resource_type type_name) => list::list, list::end,
        InvokeAction invoke_action::Event(tf_action_type action_type) => action::invoke, action::end,
        ReadStateBytes read_state_bytes::Response(tf_state_store_type type_name) => state_store::read, state_store::end,
    }
}
