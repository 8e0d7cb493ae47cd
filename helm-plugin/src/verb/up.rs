//! `eks-deploy up`: resolve, pin, prove, deploy, report.

use super::{
    change::Change,
    recover::Recovery,
    release::{Begun, unless_stopped},
    wait,
};
use crate::{
    cli::DeployArguments,
    exit::Exit,
    failure::Failure,
    helm::outcome::Asked,
    plan::{Key, Plan},
};

/// Deploys.
pub(crate) async fn run(arguments: DeployArguments) -> Result<Exit, Failure> {
    let DeployArguments { release, expect, recover, yes } = arguments;
    let (begun, mut signals) = Begun::new(release)?;
    let key = Key::of_environment();
    // Before the cluster is asked for anything: a file that does not do is the user's to mend.
    let planned = expect.as_deref().map(|path| Plan::read(path, &key)).transpose()?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let scene = begun.scene(&target);
    if recover {
        let client = unless_stopped(&mut signals, async { Ok(scene.reach().await?) }).await?;
        let recovery = Recovery {
            release: scene.release,
            namespace: scene.namespace,
            helm: &helm,
            client: &client,
            yes,
        };
        recovery.free(begun.settings.helm.timeout(), &mut signals).await?;
    }
    let mut prepared = begun.prepare(&target, &helm, &mut signals).await?;
    if let Some((planned, path)) = planned.zip(expect) {
        planned.check(&prepared.plan(&begun.settings, &target, &key), path)?;
    }
    if begun.settings.helm.waits_as_we_like()
        && let Ok(client) = scene.reach().await
    {
        let choice = wait::choose(&mut prepared.arguments, &client, &prepared.objects, scene.namespace);
        unless_stopped(&mut signals, async {
            choice.await;
            Ok(())
        })
        .await?;
    }
    let asked = Asked { revision: prepared.revision, rollback: begun.settings.helm.rolls_back() };
    let change = Change {
        arguments: &prepared.arguments,
        document: &prepared.document,
        asked,
        subjects: prepared.subjects(&begun.settings),
        cancellable: true,
    };
    scene.carry_out(change, &helm, &mut signals).await
}
