//! The table of calls: which handler answers which, and what the log says it is about.

use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use super::{
    Service, action, catalog, change, data_source, ephemeral, function, list, managed, provider, state_store,
    task::{Answer, Asked},
    transfer,
};
use crate::{Diagnostics, wire::tfplugin6 as wire};

macro_rules! asked {
    ($rpc:ident, $request:ty $(, $key:ident = $field:ident)?) => {
        impl Asked for $request {
            const RPC: &'static str = stringify!($rpc);

            fn subject(&self) -> Option<(&'static str, &str)> {
                let subject = [$((stringify!($key), self.$field.as_str()))?];
                subject.first().copied()
            }
        }
    };
}

macro_rules! calls {
    (
        unary { $($rpc:ident: $call:ident($module:ident $($key:ident = $field:ident)?) => $work:path,)* }
        streams { $($s_rpc:ident: $s_call:ident($s_module:ident::$event:ident $s_key:ident = $s_field:ident) => $s_work:path, $end:path,)* }
        $($others:tt)*
    ) => {
        $(asked!($rpc, wire::$module::Request $(, $key = $field)?);

        impl Answer for wire::$module::Response {
            fn failed(diagnostics: &Diagnostics) -> Self {
                Self { diagnostics: diagnostics.to_wire(), ..Self::default() }
            }
        })*
        $(asked!($s_rpc, wire::$s_module::Request, $s_key = $s_field);)*

        #[tonic::async_trait]
        impl wire::provider_server::Provider for Service {
            $(async fn $call(
                &self,
                request: Request<wire::$module::Request>,
            ) -> Result<Response<wire::$module::Response>, Status> {
                Ok(Response::new(self.run($work, request.into_inner()).await))
            })*

            $(async fn $s_call(
                &self,
                request: Request<wire::$s_module::Request>,
            ) -> Result<Response<BoxStream<wire::$s_module::$event>>, Status> {
                Ok(Response::new(Box::pin(self.stream($s_work, request.into_inner(), $end))))
            })*

            $($others)*
        }
    };
}

calls! {
    unary {
        GetMetadata: get_metadata(get_metadata) => catalog::metadata,
        GetProviderSchema: get_provider_schema(get_provider_schema) => catalog::schema,
        GetResourceIdentitySchemas: get_resource_identity_schemas(get_resource_identity_schemas) => catalog::identities,
        GetFunctions: get_functions(get_functions) => catalog::functions,
        ValidateProviderConfig: validate_provider_config(validate_provider_config) => provider::validate,
        ConfigureProvider: configure_provider(configure_provider) => provider::configure,
        ValidateResourceConfig: validate_resource_config(validate_resource_config tf_resource_type = type_name) => managed::validate,
        ReadResource: read_resource(read_resource tf_resource_type = type_name) => managed::read,
        ImportResourceState: import_resource_state(import_resource_state tf_resource_type = type_name) => managed::import,
        PlanResourceChange: plan_resource_change(plan_resource_change tf_resource_type = type_name) => change::plan,
        ApplyResourceChange: apply_resource_change(apply_resource_change tf_resource_type = type_name) => change::apply,
        UpgradeResourceState: upgrade_resource_state(upgrade_resource_state tf_resource_type = type_name) => transfer::upgrade,
        UpgradeResourceIdentity: upgrade_resource_identity(upgrade_resource_identity tf_resource_type = type_name) => transfer::upgrade_identity,
        MoveResourceState: move_resource_state(move_resource_state tf_resource_type = target_type_name) => transfer::moved,
        GenerateResourceConfig: generate_resource_config(generate_resource_config tf_resource_type = type_name) => transfer::generate,
        ValidateDataResourceConfig: validate_data_resource_config(validate_data_resource_config tf_data_source_type = type_name) => data_source::validate,
        ReadDataSource: read_data_source(read_data_source tf_data_source_type = type_name) => data_source::read,
        ValidateEphemeralResourceConfig: validate_ephemeral_resource_config(validate_ephemeral_resource_config tf_ephemeral_resource_type = type_name) => ephemeral::validate,
        OpenEphemeralResource: open_ephemeral_resource(open_ephemeral_resource tf_ephemeral_resource_type = type_name) => ephemeral::open,
        RenewEphemeralResource: renew_ephemeral_resource(renew_ephemeral_resource tf_ephemeral_resource_type = type_name) => ephemeral::renew,
        CloseEphemeralResource: close_ephemeral_resource(close_ephemeral_resource tf_ephemeral_resource_type = type_name) => ephemeral::close,
        ValidateListResourceConfig: validate_list_resource_config(validate_list_resource_config tf_list_resource_type = type_name) => list::validate,
        ValidateActionConfig: validate_action_config(validate_action_config tf_action_type = type_name) => action::validate,
        PlanAction: plan_action(plan_action tf_action_type = action_type) => action::plan,
        ValidateStateStoreConfig: validate_state_store_config(validate_state_store tf_state_store_type = type_name) => state_store::validate,
        ConfigureStateStore: configure_state_store(configure_state_store tf_state_store_type = type_name) => state_store::configure,
        GetStates: get_states(get_states tf_state_store_type = type_name) => state_store::states,
        DeleteState: delete_state(delete_state tf_state_store_type = type_name) => state_store::delete,
        LockState: lock_state(lock_state tf_state_store_type = type_name) => state_store::lock,
        UnlockState: unlock_state(unlock_state tf_state_store_type = type_name) => state_store::unlock,
    }
    streams {
        ListResource: list_resource(list_resource::Event tf_list_resource_type = type_name) => list::list, list::end,
        InvokeAction: invoke_action(invoke_action::Event tf_action_type = action_type) => action::invoke, action::end,
        ReadStateBytes: read_state_bytes(read_state_bytes::Response tf_state_store_type = type_name) => state_store::read, state_store::end,
    }

    async fn call_function(
        &self,
        request: Request<wire::call_function::Request>,
    ) -> Result<Response<wire::call_function::Response>, Status> {
        Ok(Response::new(self.run(function::call, request.into_inner()).await))
    }

    async fn write_state_bytes(
        &self,
        request: Request<Streaming<wire::write_state_bytes::RequestChunk>>,
    ) -> Result<Response<wire::write_state_bytes::Response>, Status> {
        let answer = match state_store::gather(request.into_inner()).await {
            Ok(whole) => self.run(state_store::write, whole).await,
            Err(diagnostics) => Answer::failed(&diagnostics),
        };
        Ok(Response::new(answer))
    }

    async fn stop_provider(
        &self,
        _: Request<wire::stop_provider::Request>,
    ) -> Result<Response<wire::stop_provider::Response>, Status> {
        self.0.interrupt();
        tracing::debug!(tf_rpc = "StopProvider", "answered");
        Ok(Response::new(wire::stop_provider::Response::default()))
    }
}

asked!(CallFunction, wire::call_function::Request, tf_function = name);
asked!(WriteStateBytes, state_store::Whole, tf_state_store_type = type_name);

impl Answer for wire::write_state_bytes::Response {
    fn failed(diagnostics: &Diagnostics) -> Self {
        Self { diagnostics: diagnostics.to_wire() }
    }
}
