"""clarky"""
