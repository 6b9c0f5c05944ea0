"""The study: a configuration resolved into plain values, and all that rules ask of it."""

from study.make import study_of
from study.settings import ROOT, read_yaml
from study.study import Study
from study.tasks import Task

__all__ = ["ROOT", "Study", "Task", "read_yaml", "study_of"]
