"""An estate of simulated cameras: real servers on loopback, made to be found, questioned and judged.

It follows the ONVIF documents and what cameras were seen to do, not what any client of ours would like; it imports
nothing of the product. `plan_estate` decides from a seed what there is, `truth` says what an honest assessor must find
there, and `Estate` serves it.
"""

from simulator.estate import Estate, run
from simulator.options import Options, OptionsError
from simulator.planning import plan_estate

__all__ = ["Estate", "Options", "OptionsError", "plan_estate", "run"]
