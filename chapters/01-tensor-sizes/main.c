// chapter 01
int main(void) { return 0; }
