"""What customers see."""

from flask import Blueprint

blueprints: tuple[Blueprint, ...] = ()
