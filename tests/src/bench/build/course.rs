//! Where builds run: a registry in memory, the folders, the daemons, and what is made ready before each run.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::content::{self, Go, LARGE, SERVICE, STEP};
use super::program::{Program, Task};
use crate::base::busybox_of_machine;
use crate::bench::contest::{self, Entrant, Finished, Taken, measured, megabytes};
use crate::bench::lane::Stage;
use crate::bench::registry::buildkit::Buildkit;
use crate::bench::registry::docker::Docker;
use crate::bench::registry::image::{Images, TAG};
use crate::bench::registry::server::{Kind, Server};
use crate::cache::{self, Cache};
use crate::packages::Consent;
use crate::programs;
use crate::tool::go;

/// Where the base image is.
const BASE: &str = "shop/base";
const SERVICES: usize = 30;
/// The figure of what came out, in megabytes.
pub(super) const SIZE: &str = "size";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Job {
    /// An image of many files, to a registry that has the base alone.
    Push,
    /// The same with layers compressed by zstd.
    PushZstd,
    /// The image is there, and one byte changed.
    OneByte,
    /// The image is there, and nothing changed.
    Noop,
    /// Thirty small images.
    Services,
    /// An image with a RUN step.
    Run,
}

impl Job {
    /// Whether each run begins with nothing, and is of content that no program saw before.
    fn is_new(self) -> bool {
        !matches!(self, Self::OneByte | Self::Noop)
    }
}

/// What all lanes share. Folders and daemons end with this.
pub(super) struct Course {
    pub(super) cache: Cache,
    pub(super) folder: PathBuf,
    ours: OnceCell<PathBuf>,
    docker: OnceCell<Docker>,
    buildkit: OnceCell<Buildkit>,
    folders: [OnceCell<PathBuf>; 4],
}

/// The folders that are made once.
#[derive(Clone, Copy)]
enum Folder {
    Large,
    Services,
    Step,
    ManyFiles,
}

impl Course {
    pub(super) fn new(stage: &Stage) -> Self {
        let (cache, folder) = (stage.cache.clone(), stage.folder.path().to_owned());
        Self {
            cache,
            folder,
            ours: OnceCell::new(),
            docker: OnceCell::new(),
            buildkit: OnceCell::new(),
            folders: Default::default(),
        }
    }

    /// What does with an image what the provider does.
    pub(super) fn ours(&self) -> Result<&Path> {
        if let Some(program) = self.ours.get() {
            return Ok(program);
        }
        let program = programs::example(&self.cache, "image-build", "deliver")?;
        Ok(self.ours.get_or_init(|| program))
    }

    pub(super) fn docker(&self) -> Result<&Docker> {
        if let Some(docker) = self.docker.get() {
            return Ok(docker);
        }
        let docker = Docker::start(&self.cache)?;
        Ok(self.docker.get_or_init(|| docker))
    }

    pub(super) fn buildkit(&self) -> Result<&Buildkit> {
        if let Some(buildkit) = self.buildkit.get() {
            return Ok(buildkit);
        }
        let buildkit = Buildkit::start(&self.cache)?;
        Ok(self.buildkit.get_or_init(|| buildkit))
    }

    /// 100,000 files.
    pub(super) fn many_files(&self) -> Result<&Path> {
        self.folder(Folder::ManyFiles)
    }

    fn folder(&self, which: Folder) -> Result<&Path> {
        let cell = &self.folders[which as usize];
        if cell.get().is_none() {
            let folder = self.folder.join(format!("content-{}", which as usize));
            crate::progress::step("write the files", || self.fill(which, &folder))?;
            _ = cell.set(folder);
        }
        cell.get().map(PathBuf::as_path).context("it was made just now")
    }

    fn fill(&self, which: Folder, folder: &Path) -> Result<()> {
        let go = || go::root(&self.cache).and_then(Go::at);
        match which {
            Folder::Large => content::of_size(folder, &go()?, LARGE, 0),
            Folder::Step => {
                content::of_size(&folder.join("app"), &go()?, STEP, 0)?;
                Ok(fs::write(folder.join("Dockerfile"), "")?)
            }
            Folder::Services => {
                let go = go()?;
                (0..SERVICES).try_for_each(|number| {
                    content::of_size(&folder.join(number.to_string()), &go, SERVICE, number * 300)
                })
            }
            Folder::ManyFiles => content::many_files(folder),
        }
    }

    /// Ours and these peers.
    pub(super) fn compete(
        &self,
        job: Job,
        peers: &[Program],
        without: &[String],
        rounds: usize,
    ) -> Result<Vec<Finished>> {
        let ground = Ground::prepare(self, job)?;
        let peers = peers.iter().filter(|peer| !without.iter().any(|name| name == peer.name()));
        let programs: Vec<Program> = [Program::Ours].iter().chain(peers).copied().collect();
        let entrants = programs.iter().map(|program| {
            let name = program.name();
            let missing = || format!("no {name}: get it, or leave it out with `--without {name}`");
            let version = program.version(self).with_context(missing)?;
            let ground = &ground;
            Ok(Entrant { name, version, run: Box::new(move |round| ground.run(*program, round)) })
        });
        let done = contest::compete(entrants.collect::<Result<_>>()?, rounds);
        if !job.is_new() {
            // What each run found there; new content was forgotten run by run.
            for program in programs {
                program.forget(self, &ground.task(program, ground.place(program, 0))?);
            }
        }
        done
    }
}

/// Where the runs of one job take place.
struct Ground<'a> {
    course: &'a Course,
    job: Job,
    server: Server,
    base: Images,
    content: &'a Path,
    folder: tempfile::TempDir,
}

impl<'a> Ground<'a> {
    fn prepare(course: &'a Course, job: Job) -> Result<Self> {
        let content = course.folder(match job {
            Job::Services => Folder::Services,
            Job::Run => Folder::Step,
            _ => Folder::Large,
        })?;
        // Links to the content lie beside it.
        let folder = tempfile::tempdir_in(&course.folder)?;
        let archive = folder.path().join("base.tar");
        fs::write(&archive, busybox_of_machine(&course.cache, Consent::from_flag(false))?)?;
        let base = Images::of_archive(&folder.path().join("base"), &archive)?;
        let server = Server::start(Kind::Distribution, Duration::ZERO)?;
        server.fill(&base, BASE)?;
        Ok(Self { course, job, server, base, content, folder })
    }

    fn run(&self, program: Program, round: usize) -> Result<Taken> {
        let task = self.ready(program, round)?;
        let command = program.command(self.course, &task)?;
        let daemon = program.daemon(self.course, self.job);
        let usage = measured(&command, &task.folder, daemon, |_| true)?;
        let mut size_mb = 0.0;
        for (_, repository) in &task.services {
            size_mb += self.size_mb(repository)?;
        }
        if self.job.is_new() {
            program.forget(self.course, &task);
            cache::remove(&task.folder)?;
        }
        Ok(Taken { usage, figures: [(SIZE, size_mb)].into() })
    }

    /// New content in an empty registry, or what the last run left and a byte less or more.
    fn ready(&self, program: Program, round: usize) -> Result<Task> {
        let folder = self.place(program, round);
        let context = folder.join("context");
        let is_first = !context.exists();
        if is_first {
            fs::create_dir_all(&folder)?;
            content::copied(self.content, &context, self.job.is_new())?;
        }
        let task = self.task(program, folder)?;
        if self.job.is_new() {
            self.server.empty()?;
            self.server.fill(&self.base, BASE)?;
            for (context, _) in &task.services {
                fs::write(context.join("release"), format!("{} {round}", program.name()))?;
            }
        }
        if self.job == Job::OneByte {
            content::change_one_byte(&context.join("assets"), u8::try_from(round)?)?;
        }
        if is_first {
            program.prepare(self.course, &task)?;
        }
        Ok(task)
    }

    /// Where a program finds its content: in a new folder each time, if the content is new.
    fn place(&self, program: Program, round: usize) -> PathBuf {
        let name = program.name();
        self.folder.path().join(if self.job.is_new() { format!("{name}-{round}") } else { name.to_owned() })
    }

    fn task(&self, program: Program, folder: PathBuf) -> Result<Task> {
        let address = self.server.address;
        Ok(Task {
            job: self.job,
            base: format!("{address}/{BASE}:{TAG}"),
            address,
            services: services(self.job, &folder.join("context"), program)?,
            folder,
        })
    }

    /// The layers of an image that are not the base's.
    fn size_mb(&self, repository: &str) -> Result<f64> {
        let manifest: Value = serde_json::from_str(&self.server.manifest(repository, TAG)?)?;
        let layers = manifest["layers"].as_array().context("an image with layers")?;
        let sizes: Option<Vec<u64>> = layers.iter().map(|layer| layer["size"].as_u64()).collect();
        let sizes = sizes.context("a size of each layer")?;
        ensure!(sizes.len() > 1, "`{repository}:{TAG}` has no layer but the base's");
        Ok(megabytes(sizes[1..].iter().sum()))
    }
}

/// Each service's folder and repository.
fn services(job: Job, context: &Path, program: Program) -> Result<Vec<(PathBuf, String)>> {
    let name = program.name();
    if job != Job::Services {
        return Ok(vec![(context.to_owned(), format!("shop/{name}"))]);
    }
    let folders = fs::read_dir(context)?.collect::<std::io::Result<Vec<_>>>()?;
    let service = |folder: &fs::DirEntry| {
        let number = folder.file_name().to_string_lossy().into_owned();
        (folder.path(), format!("shop/{name}-{number}"))
    };
    Ok(folders.iter().map(service).collect())
}
