"""read_events.py FOLDER: the scalars of event files, as TensorBoard itself reads them: "tag,step,value" a line."""
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
for tag in events.Tags()["scalars"]:
    for event in events.Scalars(tag):
        print(f"{tag},{event.step},{event.value:.9g}")
