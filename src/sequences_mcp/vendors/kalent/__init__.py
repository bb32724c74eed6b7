"""kalent"""
