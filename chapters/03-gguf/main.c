// chapter 03
int main(void) { return 0; }
