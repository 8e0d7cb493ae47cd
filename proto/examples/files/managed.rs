//! The managed resource `files_file`: how files are made, changed and removed.

use std::time::Duration;

use tfplugin_rs::{
    Call, Change, Configured, Diagnostics, Failed, IdentitySchema, ImportRequest, MoveRequest, MoveResponse,
    Sensitive, Timed, Timeouts, Type, TypedResource, Value, async_trait,
};

use crate::file::{File, TYPE_NAME};
use crate::folder::Folder;
use crate::predecessor;

/// How long to wait for a lock where the user says nothing.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Files(pub(crate) Configured<Folder>);

impl Files {
    async fn write(&self, file: File, call: &Call) -> Result<File, Failed<File>> {
        let folder = self.0.get()?;
        folder.wait(&file.path, call).await?;
        let secret: Option<Sensitive<String>> = call.config.view().get("content_wo").read()?;
        let content = secret.as_ref().map(Sensitive::expose).or(file.content.as_ref());
        folder.write(&file.path, content.map_or("", |content| content), &file.mode)?;
        Ok(file.complete())
    }
}

#[async_trait]
impl TypedResource for Files {
    type Model = File;

    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    /// How long to wait for whoever holds the lock of a file.
    fn timeouts(&self) -> Option<Timeouts> {
        let operations = [Timed::Create, Timed::Update, Timed::Delete];
        Some(operations.into_iter().fold(Timeouts::attribute(), |all, one| all.limit(one, PATIENCE)))
    }

    fn identity(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new().required("path", Type::String, "Where it is, below `root`."))
    }

    fn identity_of(&self, file: &File) -> Option<Value> {
        Some(file.identity())
    }

    /// What follows from a content that is known is known, too.
    async fn plan(&self, change: &mut Change) -> Result<(), Diagnostics> {
        if let Ok(file) = change.planned.view().read::<File>().map(File::complete) {
            change.identity = self.identity_of(&file);
            change.planned.set("sha256", file.sha256);
            change.planned.set("size", file.size);
        }
        Ok(())
    }

    async fn create(&self, file: File, call: &mut Call) -> Result<File, Failed<File>> {
        self.write(file, call).await
    }

    async fn read(&self, file: File, _: &mut Call) -> Result<Option<File>, Diagnostics> {
        // In a folder that is not known yet nothing can have happened.
        let Ok(folder) = self.0.get() else { return Ok(Some(file)) };
        let found = folder.find(&file.path)?;
        Ok(found.map(|found| File::found(file.path, file.content_wo_version, found)))
    }

    async fn update(&self, _: File, file: File, call: &mut Call) -> Result<File, Failed<File>> {
        self.write(file, call).await
    }

    async fn delete(&self, file: File, call: &mut Call) -> Result<(), Diagnostics> {
        let folder = self.0.get()?;
        folder.wait(&file.path, call).await?;
        folder.remove(&file.path)
    }

    async fn import(&self, request: ImportRequest, _: &mut Call) -> Result<File, Diagnostics> {
        let identity = request.identity.unwrap_or_default();
        let path = request.id.or(identity.view().get("path").read()?).unwrap_or_default();
        let found = self.0.get()?.find(&path)?;
        Ok(File::found(path, None, found.unwrap_or_default()))
    }

    fn moves_from(&self) -> bool {
        true
    }

    async fn moved(&self, request: MoveRequest) -> Result<MoveResponse, Diagnostics> {
        let file = predecessor::file(&request).ok_or_else(|| request.refused(TYPE_NAME))?;
        Ok(MoveResponse { identity: Some(file.identity()), state: file.into(), ..Default::default() })
    }
}
