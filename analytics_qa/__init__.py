"""Is what the camera's own AI says still right?"""
