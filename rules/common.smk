# What all rules share: the checked study, and the digests that make cheap rules follow the library.
import hashlib

from study import study_of

# the interpreter that runs Snakemake also trains, whether its environment is activated or not
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

if workflow.is_main_process:
    from checks import check_config

    config_files = workflow.overwrite_configfiles or [PROJECT / "config.yaml"]
    config_errors = check_config(config, config_files)
    if config_errors:
        sys.exit("\n".join([f"error: the configuration has {len(config_errors)} error(s):", *config_errors]))
study = study_of(config)


def code(*modules):
    """Digest of modules of the library: a parameter of every cheap rule, so that editing them makes it run again."""
    files = [
        file
        for module in modules
        for file in sorted((SCRIPTS / "apr").glob(f"{module}.py")) + sorted((SCRIPTS / "apr" / module).glob("*.py"))
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
