import asyncio, random, traceback, time, sys
import pytest
from fleet.accuracy import watching
from fleet.accuracy.watching import _Comparison, _Heard
from cameras.budget import AttemptBudget
from cameras.decoding import Decoder
from analytics_qa.detector import Detector, OUR_MODEL
from fleet.accuracy.sights import stored_sights
from tests.fleet.test_rollouts_simulated import one_camera, way_to
from fleet.store import Store

class L:
    def info(self, *a, **k):
        t = asyncio.current_task()
        print("DEVICE ERROR", t.cancelling(), file=sys.stderr)
        if t.cancelling():
            traceback.print_exc()
            sys.stderr.flush()
def chain(c):
    out=[]
    while c is not None:
        f = getattr(c,'cr_frame',None) or getattr(c,'ag_frame',None) or getattr(c,'gi_frame',None)
        if f: out.append(f"{f.f_code.co_filename}:{f.f_lineno} {f.f_code.co_name}")
        else: out.append(repr(c))
        c = getattr(c,'cr_await',None) or getattr(c,'ag_await',None) or getattr(c,'gi_yieldfrom',None)
    return out
@pytest.mark.timeout(500)
async def test_fuzz(store, settings, monkeypatch):
    monkeypatch.setattr(watching, "_log", L())
    from fleet.accuracy.runner import Accuracy
    async with one_camera(store, "axis", pictures=True) as (camera, camera_id, doors):
        sights = stored_sights(way_to(store, camera), AttemptBudget())
        async with Accuracy(store, sights) as acc, Decoder() as decoder:
            detector = await acc._reference()
            async with sights(camera_id) as sight:
                for n in range(400):
                    c = _Comparison(sight, detector, decoder, _Heard())
                    task = asyncio.create_task(c.go_on(0.0))
                    await asyncio.sleep(random.random()*0.6)
                    task.cancel()
                    done, _ = await asyncio.wait([task], timeout=4)
                    if not done:
                        print("STUCK", n, task.cancelling(), *chain(task.get_coro()), sep="\n", file=sys.stderr)
                        task.cancel()
                        await asyncio.wait([task], timeout=4)
                        break
