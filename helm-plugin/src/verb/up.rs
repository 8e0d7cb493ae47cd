//! `eks-deploy up`: resolve, pin, prove, deploy, report.

use std::{path::PathBuf, time::Duration};

use super::{
    change::Change,
    plan,
    recover::Recovery,
    release::{Begun, unless_stopped},
    wait,
};
use crate::{
    cli::{DeployArguments, UpArguments},
    exit::Exit,
    failure::Failure,
    helm::outcome::Asked,
    plan::{Key, Plan},
    report::Report,
    secrets::Secrets,
};

/// Deploys, and tells of it.
pub(crate) async fn run(arguments: DeployArguments) -> Result<Exit, Failure> {
    let DeployArguments { release, expect, recover, yes, deadline, report } = arguments;
    let mut report = Report::begin("up", report)?;
    let result = deploy(Wanted { release, expect, recover, yes, deadline }, &mut report).await;
    report.tell(&result);
    result
}

/// What is asked for.
struct Wanted {
    release: UpArguments,
    expect: Option<PathBuf>,
    recover: bool,
    yes: bool,
    deadline: Option<Duration>,
}

async fn deploy(wanted: Wanted, report: &mut Report) -> Result<Exit, Failure> {
    let Wanted { release, expect, recover, yes, deadline } = wanted;
    let (begun, mut signals) = Begun::new(release)?;
    if let Some(time) = deadline {
        signals.end_after(time);
    }
    let key = Key::of_environment();
    // Before the cluster is asked for anything: a file that does not do is the user's to mend.
    let planned = expect.as_deref().map(|path| Plan::read(path, &key)).transpose()?;
    let helm = begun.helm()?;
    let target = begun.target(&helm, &mut signals).await?;
    let scene = begun.scene(&target);
    report.is_about(scene.release, scene.namespace, scene.way.cluster.identity());
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
    report.chart = Some(prepared.chart.clone());
    report.revision = Some(prepared.revision);
    if report.is_wanted() {
        let before = plan::deployed_objects(&helm, &scene, prepared.revision);
        let before = unless_stopped(&mut signals, before).await?;
        report.compare(&before, &prepared.objects);
    }
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
        secrets: Secrets::of(&prepared.objects),
        cancellable: true,
    };
    scene.carry_out(change, &helm, &mut signals, report).await
}
